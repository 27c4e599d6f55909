import { readSysctl, withNetns, writeSysctl } from "./enter-netns.ts";
import { IP_FAMILIES, type IpFamily } from "../lib/ip-address.ts";
import { DELIVERY_MARK, RESERVED_PORTS } from "../lib/ports.ts";
import { addLocalRoute, addMarkRule, deleteLocalRoute, deleteMarkRule } from "./rtnetlink.ts";

/**
 * Prepares a pod's network namespace for deliveries. The proxy's socket in it has the client's address as its source, so that
 * the application's answers would leave the pod for the client. The answers have the mark of the proxy's socket
 * (tcp_fwmark_accept), and a policy rule keeps packets with that mark inside the namespace. A process of the pod that sets the
 * mark itself gains nothing: its own packets stay in its own pod.
 */

const TABLE = 1338;
/** Comes before the rules that a network plugin may have put in front of the main table. */
const PRIORITY = 100;

/**
 * Settings that have to be 1. The bit of each says in the record that it was 0 before. A kernel without IPv6 lacks the last one.
 * fwmark_reflect: packets that answer without a socket, such as the reset of a closed port, keep the mark, too.
 */
const SYSCTLS = [
  { name: "net.ipv4.tcp_fwmark_accept", bit: 1 },
  { name: "net.ipv4.fwmark_reflect", bit: 2 },
  { name: "net.ipv6.fwmark_reflect", bit: 4 },
] as const;

const RESERVED = "net.ipv4.ip_local_reserved_ports";
const FIRST_PORT_BIT = 8;
const RULE_BITS: Readonly<Record<IpFamily, number>> = { 4: 4096, 6: 8192 };

/**
 * Prepares the network namespace at `path`; a second call changes nothing. Returns what has to be undone, as bits; `before` has
 * the bits of an earlier call. Throws AmbitError `netns-unavailable` or the failed system call's error.
 */
export function setUpDelivery(path: string, before = 0): number {
  return withNetns(path, () => {
    let undo = before;
    for (const { name, bit } of SYSCTLS) {
      if (readSysctl(name) !== "0") continue;
      writeSysctl(name, "1");
      undo |= bit;
    }
    for (const family of families().filter(isOn)) {
      if (addMarkRule({ family, mark: DELIVERY_MARK, table: TABLE, priority: PRIORITY })) undo |= RULE_BITS[family];
      addLocalRoute(family, TABLE);
    }
    return undo | reservePorts();
  });
}

/** Undoes what the bits name. Throws AmbitError `netns-unavailable` if the namespace is gone, and all settings with it. */
export function undoDelivery(path: string, undo: number): void {
  withNetns(path, () => {
    for (const family of families()) {
      if ((undo & RULE_BITS[family]) === 0) continue;
      deleteMarkRule({ family, mark: DELIVERY_MARK, table: TABLE, priority: PRIORITY });
      deleteLocalRoute(family, TABLE);
    }
    for (const { name, bit } of SYSCTLS) if ((undo & bit) !== 0) writeSysctl(name, "0");
    const ours = RESERVED_PORTS.filter((_, index) => (undo & (FIRST_PORT_BIT << index)) !== 0);
    const left = [...parsePorts(readSysctl(RESERVED) ?? "")].filter((port) => !ours.includes(port));
    // A line end clears the list: the kernel ignores an empty write.
    if (ours.length > 0) writeSysctl(RESERVED, `${formatPorts(left)}\n`);
  });
}

function families(): readonly IpFamily[] {
  return readSysctl("net.ipv6.fwmark_reflect") === undefined ? [4] : IP_FAMILIES;
}

/** Where IPv6 is turned off in a pod, as container runtimes do, it takes no routes, and needs none. */
function isOn(family: IpFamily): boolean {
  return family === 4 || readSysctl("net.ipv6.conf.lo.disable_ipv6") !== "1";
}

/** No process gets one of our ports as an ephemeral port. The pod's own reservations stay. */
function reservePorts(): number {
  const reserved = parsePorts(readSysctl(RESERVED) ?? "");
  const missing = RESERVED_PORTS.map((port, index) => ({ port, bit: FIRST_PORT_BIT << index })).filter(
    ({ port }) => !reserved.has(port),
  );
  if (missing.length === 0) return 0;
  writeSysctl(RESERVED, formatPorts([...reserved, ...missing.map(({ port }) => port)]));
  return missing.reduce((bits, { bit }) => bits | bit, 0);
}

/** Reads a list of ports as the kernel writes it: `8080,9148-9150`. */
function parsePorts(text: string): Set<number> {
  const ports = new Set<number>();
  for (const range of text.split(",").filter((part) => part.trim() !== "")) {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    for (let port = first; port <= last; port++) ports.add(port);
  }
  return ports;
}

function formatPorts(ports: Iterable<number>): string {
  const ranges: { first: number; last: number }[] = [];
  for (const port of [...ports].toSorted((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range?.last === port - 1) range.last = port;
    else ranges.push({ first: port, last: port });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}
