import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Mesh } from "../model/mesh.ts";
import type { Service } from "../model/service.ts";
import { failure } from "./failure.ts";
import { refusedAddress } from "./refused-address.ts";

/** The address of a server. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/** The host that a URL names, an IPv6 address without its brackets, and its port. */
export function hostAndPort({ hostname, port, protocol }: URL): readonly [host: string, port: number] {
  return [hostname.replace(/^\[|\]$/gu, ""), Number(port || (protocol === "https:" ? 443 : 80))];
}

/**
 * The addresses of a URL's host, in the order in which to try them. Whoever fetches connects to these very addresses and
 * resolves nothing again, also after a redirection, so that what is checked here is what is dialled.
 */
export type Resolve = (host: string, port: number) => Promise<readonly Target[]>;

/**
 * Resolves Services of the cluster by their names and addresses, and all other hosts by the node's DNS. The node may know
 * neither the cluster's names nor its virtual addresses, so the agent connects to the endpoints of a Service directly.
 */
export function resolver(mesh: () => Mesh, own?: () => readonly string[]): Resolve {
  return async (host, port) => {
    const found = clusterTargets(mesh(), host, port) ?? (await byDns(host, port));
    if (found.length === 0) throw failure(`the Service ${host} has no ready endpoint for port ${port}`);
    // An author of a RequestAuthentication must not make the agent call the node's own services, or a cloud's metadata.
    const isRefused = refusedAddress(mesh(), own);
    const allowed = found.filter(({ address }) => !isRefused(address));
    if (allowed.length > 0) return allowed;
    throw failure(
      `${host} is an address of a node or of its link, or a cloud's metadata: the agent does not call those`,
    );
  };
}

async function byDns(host: string, port: number): Promise<readonly Target[]> {
  const found = isIP(host) === 0 ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
  return found.map((address) => ({ address, port }));
}

/** Ready endpoints of a Service, named as in the cluster or by its address; undefined if there is no such Service. */
export function clusterTargets(mesh: Mesh, host: string, port: number): readonly Target[] | undefined {
  const service = mesh.services.find((each) => isNamed(each, host));
  if (service === undefined) return undefined;
  const { name, namespace } = service.meta;
  const portName = service.ports.find((each) => each.port === port)?.name;
  if (portName === undefined) return [];
  return mesh.endpointSlices
    .filter((slice) => slice.service === name && slice.meta.namespace === namespace)
    .flatMap((slice) => {
      const target = slice.ports.find((each) => each.name === portName)?.port;
      const ready = slice.endpoints.filter((endpoint) => endpoint.ready);
      return target === undefined
        ? []
        : ready.flatMap(({ addresses }) => addresses.map((address) => ({ address, port: target })));
    });
}

function isNamed({ meta, clusterIPs }: Service, host: string): boolean {
  const name = `${meta.name}.${meta.namespace}`;
  const plain = host.toLowerCase().replace(/\.$/u, "");
  return (
    plain === name || plain === `${name}.svc` || plain === `${name}.svc.cluster.local` || clusterIPs.includes(plain)
  );
}
