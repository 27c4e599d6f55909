import { readSysctl, withNetns, writeSysctl } from "./netns.ts";
import { IP_FAMILIES, type IpFamily } from "../lib/ip-address.ts";
import { DELIVERY_MARK, RESERVED_PORTS } from "../lib/ports.ts";
import { formatPorts, parsePorts } from "./port-list.ts";
import { addLocalRoute, addMarkRule, deleteLocalRoute, deleteMarkRule } from "./rtnetlink.ts";

/**
 * A pod's network namespace for delivery: the proxy's socket in it bears the client's address, so the application's answers
 * would leave for the client. They bear the socket's mark (tcp_fwmark_accept), and a rule keeps what is marked here. A mark
 * that a process of the pod sets keeps its own packets in its own pod: there is nothing to gain by it.
 */

const TABLE = 1338;
/** Before anything that a network plugin may have put in front of the main table. */
const PRIORITY = 100;

/**
 * Settings that have to be 1, and the bit that says they were not before: a kernel without IPv6 lacks the last one.
 * fwmark_reflect: answers of no socket, such as the reset of a closed port, keep the mark too.
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
 * Prepares the network namespace at `path`; doing it again changes nothing. Returns what has to be undone, as bits; `before`
 * are those of an earlier set-up. Throws AmbitError `netns-unavailable` or the failed system call's error.
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

/** Takes back what `undo` names. Throws AmbitError `netns-unavailable` if the pod is gone, with everything that was set. */
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
    // A line end clears the list: the kernel takes an empty write for no write.
    if (ours.length > 0) writeSysctl(RESERVED, `${formatPorts(left)}\n`);
  });
}

function families(): readonly IpFamily[] {
  return readSysctl("net.ipv6.fwmark_reflect") === undefined ? [4] : IP_FAMILIES;
}

/** Turned off in a pod, as container runtimes do, IPv6 takes no routes; there is nothing to deliver by it, either. */
function isOn(family: IpFamily): boolean {
  return family === 4 || readSysctl("net.ipv6.conf.lo.disable_ipv6") !== "1";
}

/** Nobody gets one of our ports as an ephemeral port. The pod's own reservations stay. */
function reservePorts(): number {
  const reserved = parsePorts(readSysctl(RESERVED) ?? "");
  const missing = RESERVED_PORTS.map((port, index) => ({ port, bit: FIRST_PORT_BIT << index })).filter(
    ({ port }) => !reserved.has(port),
  );
  if (missing.length === 0) return 0;
  writeSysctl(RESERVED, formatPorts([...reserved, ...missing.map(({ port }) => port)]));
  return missing.reduce((bits, { bit }) => bits | bit, 0);
}
