import { closeSync } from "node:fs";
import type { IpFamily } from "../lib/ip-address.ts";
import { ADDRESS_FAMILIES, openRouteSocket, receive, send, SystemCallError } from "./loader/syscall.ts";

/** Changes policy rules and routes of the calling thread's network namespace by rtnetlink(7), without the `ip` command. */

const RTM = { newRoute: 24, delRoute: 25, newRule: 32, delRule: 33 } as const;
const NLM_F = { request: 1, ack: 4, excl: 0x200, create: 0x400 } as const;
const NLMSG_ERROR = 2;
const FRA = { priority: 6, mark: 10, table: 15 } as const;
const RTA = { interface: 4, table: 15 } as const;
const FR_ACT_TO_TBL = 1;
const RTN_LOCAL = 2;
const RT_SCOPE_HOST = 254;
const RTPROT_STATIC = 4;
const LOOPBACK_INTERFACE = 1;

export interface MarkRule {
  readonly family: IpFamily;
  readonly mark: number;
  readonly table: number;
  readonly priority: number;
}

function attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(8, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

/** Sends one request and waits for the kernel's answer. Throws `SystemCallError`. */
function request(what: string, type: number, flags: number, body: Buffer): void {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(NLM_F.request | NLM_F.ack | flags, 6);
  header.writeUInt32LE(1, 8);
  const socket = openRouteSocket();
  try {
    send(socket, Buffer.concat([header, body]));
    const answer = receive(socket);
    const errno = answer.readUInt16LE(4) === NLMSG_ERROR ? -answer.readInt32LE(16) : 0;
    if (errno !== 0) throw new SystemCallError(what, errno);
  } finally {
    closeSync(socket);
  }
}

function tolerating(code: string, call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.code === code) return false;
    throw error;
  }
}

/** struct fib_rule_hdr and its attributes */
function ruleBody(rule: MarkRule): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(ADDRESS_FAMILIES[rule.family], 0);
  header.writeUInt8(FR_ACT_TO_TBL, 7);
  return Buffer.concat([
    header,
    attribute(FRA.priority, rule.priority),
    attribute(FRA.mark, rule.mark),
    attribute(FRA.table, rule.table),
  ]);
}

/** Packets with the mark use the table. Returns false if the rule was there already. */
export function addMarkRule(rule: MarkRule): boolean {
  return tolerating("EEXIST", () => request("add rule", RTM.newRule, NLM_F.create | NLM_F.excl, ruleBody(rule)));
}

export function deleteMarkRule(rule: MarkRule): void {
  tolerating("ENOENT", () => request("delete rule", RTM.delRule, 0, ruleBody(rule)));
}

/** struct rtmsg and its attributes: a route that makes all addresses of the family local. */
function routeBody(family: IpFamily, table: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(ADDRESS_FAMILIES[family], 0);
  header.writeUInt8(RTPROT_STATIC, 5);
  header.writeUInt8(RT_SCOPE_HOST, 6);
  header.writeUInt8(RTN_LOCAL, 7);
  return Buffer.concat([header, attribute(RTA.interface, LOOPBACK_INTERFACE), attribute(RTA.table, table)]);
}

/** Adds `local default dev lo` to the table. Returns false if the route was there already. */
export function addLocalRoute(family: IpFamily, table: number): boolean {
  return tolerating("EEXIST", () =>
    request("add route", RTM.newRoute, NLM_F.create | NLM_F.excl, routeBody(family, table)),
  );
}

export function deleteLocalRoute(family: IpFamily, table: number): void {
  tolerating("ESRCH", () => request("delete route", RTM.delRoute, 0, routeBody(family, table)));
}
