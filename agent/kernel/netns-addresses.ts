import { readFileSync } from "node:fs";
import { addressFromBytes } from "../lib/ip-address.ts";
import { withNetns } from "./enter-netns.ts";

/**
 * The addresses that the network namespace at `path` has. A pod's object claims addresses; these are what it has. Throws
 * AmbitError `netns-unavailable`.
 */
export function addressesIn(path: string): ReadonlySet<string> {
  return withNetns(path, () => new Set([...localIPv4(read("fib_trie")), ...localIPv6(read("if_inet6"))]));
}

/** proc(5): `net` shows the network namespace of the thread that opens it. A node without the family has no such file. */
function read(file: string): string {
  try {
    return readFileSync(`/proc/thread-self/net/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Lines `|-- ADDRESS`, and below each address its routes: `/32 host LOCAL` is an address of the host itself. */
export function localIPv4(fibTrie: string): readonly string[] {
  const found: string[] = [];
  let address = "";
  for (const line of fibTrie.split("\n")) {
    address = /^\s*\|-- (\S+)$/u.exec(line)?.[1] ?? address;
    if (/^\s*\/32 host LOCAL$/u.test(line)) found.push(address);
  }
  return found;
}

/** Lines that begin with an address of 32 hexadecimal digits. */
export function localIPv6(ifInet6: string): readonly string[] {
  return [...ifInet6.matchAll(/^([0-9a-f]{32}) /gmu)].map(([, hex = ""]) => addressFromBytes(Buffer.from(hex, "hex")));
}
