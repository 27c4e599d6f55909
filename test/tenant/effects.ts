import type { NodeConfig } from "../../agent/compile/compile.ts";
import { hostPort, tcpDestinationName } from "../../agent/compile/view/names.ts";
import type { CapturedDestination } from "../../agent/model/capture-state.ts";
import { printProblem } from "../../agent/model/problem.ts";
import type { RouteConfiguration } from "../../agent/xds/gen/envoy/config/route/v3/route_pb.ts";
import type { Message } from "../../agent/xds/proto.ts";
import { TENANT } from "./tenant-objects.ts";
import { NODE_ADDRESSES, OUTSIDE_ADDRESSES, PORTS, VICTIM_PODS, VICTIM_SERVICE_IPS } from "./victims.ts";

/** Everything that is not the tenant's, and that somebody may call. */
const ADDRESSES = [
  ...VICTIM_PODS.flatMap(({ addresses }) => addresses),
  ...VICTIM_SERVICE_IPS,
  ...NODE_ADDRESSES,
  ...OUTSIDE_ADDRESSES,
];
const PLACES = ADDRESSES.flatMap((address) => PORTS.map((port) => ({ address, port })));
const DIALLED = new Set(
  PLACES.flatMap(({ address, port }) => [hostPort(address, port), tcpDestinationName(address, port)]),
);
/** A port of each address that no object names: of the ports that none names, one is like the other. */
const UNNAMED = ADDRESSES.flatMap((address) => [hostPort(address, 7), tcpDestinationName(address, 7)]);

/** What a tenant's objects have changed for others in what a node is told; empty: nothing. */
export function effectFindings(before: NodeConfig, after: NodeConfig): readonly string[] {
  return [...xdsFindings(before, after), ...kernelFindings(before, after), ...filterFindings(before, after)].concat(
    differences("problem", problemsOfOthers(before), problemsOfOthers(after)),
  );
}

function xdsFindings({ xds: before }: NodeConfig, { xds: after }: NodeConfig): readonly string[] {
  const of = (
    what: string,
    a: ReadonlyMap<string, Message | undefined>,
    b: ReadonlyMap<string, Message | undefined>,
    more: readonly string[] = [],
  ): readonly string[] =>
    [...new Set([...a.keys(), ...more, ...[...b.keys()].filter((name) => DIALLED.has(name))])].flatMap((name) =>
      same(a.get(name), b.get(name)) ? [] : [`${what} ${name} is another`],
    );
  const routes = (config: NodeConfig["xds"]): RouteConfiguration => config.routes.get("outbound") as RouteConfiguration;
  const domains = (config: NodeConfig["xds"]): readonly string[] =>
    routes(config).virtualHosts.flatMap((host) => host.domains);
  const host = (config: NodeConfig["xds"], domain: string) =>
    routes(config).virtualHosts.find((each) => each.domains.includes(domain)) ??
    routes(config).virtualHosts.find((each) => each.domains.includes("*"));
  const twice = domains(after).filter((domain, index, list) => list.indexOf(domain) !== index);
  const changedDomains = new Set([...domains(before), ...domains(after).filter((domain) => DIALLED.has(domain))]);
  return [
    ...of("the listener", before.listeners, after.listeners),
    ...of("the cluster", before.clusters, after.clusters),
    ...of("the cluster", before.onDemandClusters, after.onDemandClusters, UNNAMED),
    ...of("the endpoints", before.endpoints, after.endpoints, UNNAMED),
    ...of("the secret", before.secrets, after.secrets),
    ...[...changedDomains].flatMap((domain) =>
      same(host(before, domain), host(after, domain)) ? [] : [`the routes of ${domain} are others`],
    ),
    ...twice.map((domain) => `Envoy refuses two virtual hosts for ${domain}`),
  ];
}

/** Deep equality of messages and of what they hold; a small part of the time that node:util takes. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  const [mine, others] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>];
  const keys = Object.keys(mine);
  return keys.length === Object.keys(others).length && keys.every((key) => same(mine[key], others[key]));
}

function kernelFindings({ capture: before }: NodeConfig, { capture: after }: NodeConfig): readonly string[] {
  const pods = new Map(after.pods.map((pod) => [pod.uid, pod]));
  const [lookUpBefore, lookUpAfter] = [lookUp(before.destinations), lookUp(after.destinations)];
  return [
    ...before.pods.flatMap((pod) =>
      same(pod, pods.get(pod.uid)) ? [] : [`the kernel is told other things of the pod ${pod.uid}`],
    ),
    ...PLACES.flatMap(({ address, port }) => {
      const [was, is] = [lookUpBefore(address, port), lookUpAfter(address, port)];
      return was === is ? [] : [`calls to ${hostPort(address, port)}: ${was} before, ${is} now`];
    }),
    ...differences("brief port", ofVictims(before.briefPorts), ofVictims(after.briefPorts)),
    // The kernel looks callers up for connections to brief ports alone; where there was none, the list is the tenant's.
    ...differences(
      "mTLS caller",
      before.mtlsCallers.filter((address) => ADDRESSES.includes(address)),
      before.briefPorts.length === 0 ? [] : after.mtlsCallers.filter((address) => ADDRESSES.includes(address)),
    ),
  ];
}

function ofVictims<T extends { readonly address: string }>(list: readonly T[]): readonly T[] {
  return list.filter(({ address }) => ADDRESSES.includes(address));
}

/** Which listener takes a call, as the kernel decides: by the port, else by the whole address. */
function lookUp(destinations: readonly CapturedDestination[]) {
  const modes = new Map(destinations.map(({ address, port, mode }) => [`${address} ${port}`, mode]));
  return (address: string, port: number): string =>
    modes.get(`${address} ${port}`) ?? modes.get(`${address} 0`) ?? "not captured";
}

function filterFindings({ filters: before }: NodeConfig, { filters: after }: NodeConfig): readonly string[] {
  const setOf = (config: NodeConfig["filters"], id: string | undefined) => ({
    http: config.policySets.filter((set) => set.id === id),
    tcp: config.tcpPolicySets.filter((set) => set.id === id),
  });
  const guards = (config: NodeConfig["filters"]) => {
    const clusters = new Map(config.clusters.map((cluster) => [cluster.name, cluster]));
    const pods = new Map(config.pods.map((pod) => [pod.uid, pod]));
    return (kind: "cluster" | "pod", name: string) => {
      const found = kind === "cluster" ? clusters.get(name) : pods.get(name);
      return { found, set: setOf(config, found?.policySet) };
    };
  };
  const [guardBefore, guardAfter] = [guards(before), guards(after)];
  const names = (config: NodeConfig["filters"]) => [
    ...config.clusters.map(({ name }) => ["cluster", name] as const),
    ...config.pods.map(({ uid }) => ["pod", uid] as const),
  ];
  const own = names(after).filter(([, name]) => DIALLED.has(name));
  return [
    ...[...names(before), ...own].flatMap(([kind, name]) =>
      same(guardBefore(kind, name), guardAfter(kind, name)) ? [] : [`the ${kind} ${name} is guarded otherwise`],
    ),
    ...differences("peer", ofVictims(before.peers), ofVictims(after.peers)),
    ...differences(
      "retry budget",
      before.retryBudgets,
      after.retryBudgets.filter(({ service }) => !service.startsWith(`${TENANT}/`)),
    ),
    ...differences(
      "rule for tokens",
      before.jwtRules,
      after.jwtRules.filter(({ id }) => before.jwtRules.some((rule) => rule.id === id)),
    ),
  ];
}

function problemsOfOthers({ problems }: NodeConfig): readonly unknown[] {
  return problems.flatMap((problem) => (problem.origin.file === `${TENANT}.yaml` ? [] : [printProblem(problem)]));
}

function differences(what: string, before: readonly unknown[], after: readonly unknown[]): readonly string[] {
  if (same(before, after)) return [];
  const print = (list: readonly unknown[]) => new Set(list.map((each) => JSON.stringify(each)));
  const [a, b] = [print(before), print(after)];
  return [
    ...[...a].filter((text) => !b.has(text)).map((text) => `a ${what} has gone: ${text}`),
    ...[...b].filter((text) => !a.has(text)).map((text) => `a ${what} has come: ${text}`),
  ];
}
