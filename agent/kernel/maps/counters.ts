import { readFileSync } from "node:fs";
import { lookupElement } from "../loader/bpf-commands.ts";

/** The counters of the programs, in the order of `enum counter` in c/lib/counters.h, which explains each. */
export const COUNTERS = [
  "outbound_captured",
  "outbound_left_alone",
  "outbound_reserved_port_refused",
  "outbound_no_memory_refused",
  "bind_reserved_port_refused",
  "inbound_captured",
  "inbound_delivered",
  "inbound_probe",
  "inbound_within_pod",
  "inbound_reserved_port_dropped",
  "inbound_no_listener_dropped",
  "inbound_forged_source_dropped",
  "inbound_unknown_address_dropped",
  "inbound_loopback_from_outside_dropped",
  "inbound_assign_failed_dropped",
  "original_destination_answered",
  "original_destination_unknown",
  "inbound_listener_registered",
  "inbound_listener_failed",
  "delivery_port_not_chosen",
  "inbound_delivery_from_outside_dropped",
  "inbound_captured_briefly",
  "proxy_to_itself_refused",
  "inbound_joining_dropped",
  "outbound_device_bound_refused",
  "inbound_uncaptured_passed",
] as const;

export type CounterName = (typeof COUNTERS)[number];

/** The number of CPUs that a per-CPU map has values for: all that could ever be there, as in `0-3` or `0,2-7`. */
function possibleCpus(): number {
  const last = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim().split(/[-,]/).at(-1);
  return Number(last) + 1;
}

/** Each counter since the programs were first loaded, as the sum over all CPUs. */
export function readCounters(map: number): Record<CounterName, bigint> {
  const perCpu = Buffer.alloc(8 * possibleCpus());
  const key = Buffer.alloc(4);
  const read = (index: number): bigint => {
    key.writeUInt32LE(index);
    lookupElement(map, key, perCpu);
    let sum = 0n;
    for (let at = 0; at < perCpu.length; at += 8) sum += perCpu.readBigUInt64LE(at);
    return sum;
  };
  const counted = COUNTERS.map((name, index) => [name, read(index)] as const);
  // Object.fromEntries forgets the keys' type; they are exactly COUNTERS.
  return Object.fromEntries(counted) as Record<CounterName, bigint>;
}
