import { networkInterfaces } from "node:os";
import { canonicalAddress, isLocalOnly } from "../lib/ip-address.ts";
import type { Mesh } from "../model/mesh.ts";

/** Where clouds answer with a machine's credentials, beside the link-local 169.254.169.254. */
const METADATA: ReadonlySet<string> = new Set([
  "100.100.100.200", // Alibaba Cloud
  "168.63.129.16", // Azure
  "192.0.0.192", // Oracle Cloud
  "fd00:ec2::254", // AWS
  "fd20:ce::254", // Google Cloud
]);

/**
 * Whether the agent must not connect to an address. It calls from its node, whose own services trust that, and the URL comes from
 * the author of a RequestAuthentication. Node addresses are those of this machine, of Node objects, and of pods with `hostNetwork`.
 */
export function refusedAddress(mesh: Mesh, own: () => readonly string[] = ownAddresses): (address: string) => boolean {
  const nodes = new Set([
    ...own(),
    ...mesh.nodes.flatMap(({ addresses }) => addresses),
    ...mesh.workloads.filter(({ hostNetwork }) => hostNetwork).flatMap(({ addresses }) => addresses),
  ]);
  return (text) => {
    const address = canonicalAddress(text);
    return address === undefined || isLocalOnly(address) || METADATA.has(address) || nodes.has(address);
  };
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).flatMap(({ address }) => canonicalAddress(address) ?? []),
  );
}
