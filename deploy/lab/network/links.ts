import type { LabPaths } from "../machine/lab-paths.ts";
import { hasIPv6, type NodeAddresses, nodeAddresses, type PodAddresses } from "./address-plan.ts";
import { addNetns, ipBatch, netnsName, setSysctls } from "./netns.ts";

/**
 * The lab's network: a fabric (a bridge in a network namespace of its own) between the nodes, and on each node a bridge
 * for its pods. All links are in the lab's namespaces; none shows in the host's.
 */

const POD_BRIDGE = "pods";
const FABRIC_BRIDGE = "fabric";

/** Snooping would drop IPv6 neighbour discovery now and then, as there is no querier. */
const BRIDGE = "type bridge mcast_snooping 0";

export function fabricNetns(paths: LabPaths): string {
  return netnsName(paths.name, "fabric");
}

export async function createFabric(paths: LabPaths): Promise<void> {
  await addNetns(paths, fabricNetns(paths));
  await ipBatch(fabricNetns(paths), [`link add ${FABRIC_BRIDGE} ${BRIDGE}`, `link set ${FABRIC_BRIDGE} up`]);
}

/** Makes a node's namespace: its uplink to the fabric and its bridge for pods. `number` counts from 1. */
export async function createNodeNetwork(paths: LabPaths, netns: string, number: number): Promise<void> {
  const { uplink, gateway } = nodeAddresses(number);
  const fabric = fabricNetns(paths);
  await addNetns(paths, netns);
  await ipBatch(fabric, [
    `link add node${number} type veth peer name eth0 netns ${netns}`,
    `link set node${number} master ${FABRIC_BRIDGE} up`,
  ]);
  await setSysctls(netns, {
    "net.ipv4.ip_forward": "1",
    ...(hasIPv6() ? { "net.ipv6.conf.all.forwarding": "1", "net.ipv6.conf.default.accept_dad": "0" } : {}),
  });
  await ipBatch(netns, [
    // A bridge without an address of its own takes the lowest MAC address of its links, and changes it as pods come and
    // go. The other pods would send to the old address until their neighbour tables forget it.
    `link add ${POD_BRIDGE} address ${macOf(gateway.ipv4)} ${BRIDGE}`,
    `addr add ${gateway.ipv4}/24 dev ${POD_BRIDGE}`,
    `link set ${POD_BRIDGE} up`,
    `addr add ${uplink.ipv4}/24 dev eth0`,
    `link set eth0 up`,
    ...ipv6Only([`addr add ${gateway.ipv6}/64 dev ${POD_BRIDGE} nodad`, `addr add ${uplink.ipv6}/64 dev eth0 nodad`]),
  ]);
}

/** Adds a node's route to the pods of another node. Both need their network first. */
export async function addNodeRoute(netns: string, other: NodeAddresses): Promise<void> {
  await ipBatch(netns, [
    `route replace ${other.podCidr.ipv4} via ${other.uplink.ipv4}`,
    ...ipv6Only([`route replace ${other.podCidr.ipv6} via ${other.uplink.ipv6}`]),
  ]);
}

/** Makes a pod's namespace and connects it to its node. `link`: name of the link's end on the node, at most 15 letters. */
export async function createPodNetwork(
  paths: LabPaths,
  netns: string,
  node: { readonly netns: string; readonly addresses: NodeAddresses },
  addresses: PodAddresses,
  link: string,
): Promise<void> {
  await addNetns(paths, netns);
  await ipBatch(node.netns, [
    `link add ${link} type veth peer name eth0 address ${macOf(addresses.ipv4)} netns ${netns}`,
    `link set ${link} master ${POD_BRIDGE} up`,
  ]);
  const { gateway } = node.addresses;
  await ipBatch(netns, [
    `addr add ${addresses.ipv4}/24 dev eth0`,
    ...(addresses.ipv6 === undefined ? [] : [`addr add ${addresses.ipv6}/64 dev eth0 nodad`]),
    `link set eth0 up`,
    `route add default via ${gateway.ipv4}`,
    ...(addresses.ipv6 === undefined ? [] : [`route add ::/0 via ${gateway.ipv6}`]),
  ]);
}

/**
 * A MAC address made from the IP address, so that the next pod with the same address needs no new neighbour entries. CNI
 * plugins use the prefix `0a:58`, too.
 */
function macOf(ipv4: string): string {
  const octets = ipv4.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  return `0a:58:${octets.join(":")}`;
}

function ipv6Only(commands: readonly string[]): readonly string[] {
  return hasIPv6() ? commands : [];
}
