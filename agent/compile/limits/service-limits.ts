import { groupBy } from "../../lib/group-by.ts";
import type { CapturedDestination } from "../../model/capture-state.ts";
import { slicesByService, type EndpointSlice } from "../../model/endpoint.ts";
import { DEFAULT_LIMITS, limitReached, type Limits } from "../../model/limits.ts";
import type { Mesh } from "../../model/mesh.ts";
import { compareAge, namespacedName } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import type { Service } from "../../model/service.ts";
import { outboundMode } from "../view/destinations.ts";
import { shares } from "./shares.ts";

/** What of a mesh's Services a node serves. */
export interface LimitedServices {
  /** The mesh without the Services that exceed a limit; the same object where none does. */
  readonly mesh: Mesh;
  /**
   * Where captured pods would call those Services past the mesh, in plaintext. So their calls go to the proxy, which has no
   * cluster for them and refuses them.
   */
  readonly refused: readonly CapturedDestination[];
  readonly problems: readonly Problem[];
}

/**
 * How many destinations the Services of all namespaces may have together. The kernel's map holds 524,288
 * (agent/kernel/c/lib/maps.h), and pods that are dialled by their own addresses are in it, too.
 */
const ALL_DESTINATIONS = 400_000;

/**
 * The entries of a namespace, with those that only refuse calls, in parts of its share. All shares and their refusals stay
 * below the size of the kernel's map.
 */
const WITH_REFUSALS = 1.25;

interface Cost {
  readonly service: Service;
  /** Entries in the kernel's map. */
  readonly destinations: number;
  /** Addresses behind it, once for each port. */
  readonly endpoints: number;
}

/**
 * Leaves out the Services with which a namespace exceeds its limits, the youngest ones first, before anything is made of their
 * addresses: ports times addresses may be millions. If all namespaces together would fill the kernel's map, each gets a fair
 * share, so that none uses what others need.
 */
export function limitServices(mesh: Mesh, limits: Limits = DEFAULT_LIMITS): LimitedServices {
  const slices = slicesByService(mesh.endpointSlices);
  const costs = groupBy(
    mesh.services.map((service) =>
      costOf(service, slices.get(namespacedName(service.meta.namespace, service.meta.name)) ?? []),
    ),
    ({ service }) => service.meta.namespace,
  );
  const wanted = [...costs].map(([namespace, own]): readonly [string, number] => {
    return [
      namespace,
      Math.min(
        limits.destinations,
        sum(own, ({ destinations }) => destinations),
      ),
    ];
  });
  const shareOf = shares(new Map(wanted), ALL_DESTINATIONS);
  const left = new Set<Service>();
  const refused: CapturedDestination[] = [];
  const problems: Problem[] = [];
  for (const [namespace, own] of costs) {
    const share = shareOf.get(namespace) ?? 0;
    if (fits(own, share, limits.endpoints)) continue;
    for (const { service, problem } of exceeding(own, share, limits)) {
      left.add(service);
      refused.push(...refusals(service));
      problems.push(problem);
    }
  }
  if (left.size === 0) return { mesh, refused: [], problems };
  const services = mesh.services.filter((service) => !left.has(service));
  return { mesh: { ...mesh, services }, refused, problems };
}

/**
 * Of a cluster IP every port is refused, so that it takes one entry. An external address may have other uses: only the Service's
 * ports are refused there. A Service has few of both; an entry is made for the first ones.
 */
function refusals({ clusterIPs, externalAddresses, ports }: Service): readonly CapturedDestination[] {
  const own = clusterIPs.slice(0, MAX_REFUSED).map((address) => ({ address, port: 0, mode: "detect" }) as const);
  const external = externalAddresses
    .slice(0, MAX_REFUSED)
    .flatMap((address) =>
      ports.slice(0, MAX_REFUSED_PORTS).map(({ port }) => ({ address, port, mode: "detect" }) as const),
    );
  return [...own, ...external];
}

const MAX_REFUSED = 2;
const MAX_REFUSED_PORTS = 16;

function fits(own: readonly Cost[], destinations: number, endpoints: number): boolean {
  return sum(own, (cost) => cost.destinations) <= destinations && sum(own, (cost) => cost.endpoints) <= endpoints;
}

interface Exceeding {
  readonly service: Service;
  readonly problem: Problem;
}

function exceeding(own: readonly Cost[], share: number, limits: Limits): readonly Exceeding[] {
  const byAge = own.toSorted((a, b) => compareAge(a.service.meta, b.service.meta));
  const found: Exceeding[] = [];
  // Each address that is refused takes an entry, too: room for those of all Services is kept from the start.
  let entries = sum(byAge, ({ service }) => refusals(service).length);
  let destinations = 0;
  let endpoints = 0;
  for (const cost of byAge) {
    const more = Math.max(0, cost.destinations - refusals(cost.service).length);
    const over =
      destinations + cost.destinations > share || entries + more > share * WITH_REFUSALS
        ? "destinations"
        : endpoints + cost.endpoints > limits.endpoints
          ? "endpoints"
          : undefined;
    if (over === undefined) {
      entries += more;
      destinations += cost.destinations;
      endpoints += cost.endpoints;
    } else {
      const used = over === "destinations" ? destinations : endpoints;
      const limit = over === "destinations" ? share : limits.endpoints;
      found.push({ service: cost.service, problem: problemOf(cost, over, used, limit) });
    }
  }
  return found;
}

function problemOf(cost: Cost, over: "destinations" | "endpoints", used: number, limit: number): Problem {
  const { meta } = cost.service;
  const what =
    over === "destinations" ? "destinations (addresses, times ports)" : "endpoints (addresses behind it, times ports)";
  const effect =
    refusals(cost.service).length > 0
      ? "calls of captured pods to it are refused"
      : "calls to its pods are served as calls to the pods' own addresses";
  return limitReached(meta, {
    field: "spec.ports",
    reason:
      `it needs ${cost[over]} ${what}; older Services of the namespace ${meta.namespace} use ${used}, ` +
      `and the limit for this namespace is ${limit}: ${effect}`,
    remedy: `Give it fewer ports or addresses, or raise the limit: --limits ${over}=NUMBER of every agent.`,
  });
}

/** Counts without making anything. */
function costOf(service: Service, slices: readonly EndpointSlice[]): Cost {
  const { ports, clusterIPs, externalAddresses, headless } = service;
  const modes = new Map(ports.map(({ name, protocol }) => [name, outboundMode(protocol)]));
  let endpoints = 0;
  let dialled = 0;
  for (const slice of slices) {
    const addresses = sum(slice.endpoints, (endpoint) => endpoint.addresses.length);
    const served = slice.ports.filter(({ name }) => modes.has(name));
    endpoints += addresses * served.length;
    // The kernel has an entry for each of these: `destinations` and `directDestinations` (../view).
    dialled += addresses * served.filter(({ name }) => headless || modes.get(name) === "tcp").length;
  }
  return {
    service,
    destinations: ports.length * Math.max(1, clusterIPs.length + externalAddresses.length) + dialled,
    endpoints,
  };
}

function sum<T>(list: readonly T[], amount: (each: T) => number): number {
  return list.reduce((total, each) => total + amount(each), 0);
}
