import { beforeEach, expect, test } from "vitest";
import { ExchangeLog } from "../../agent/identity/authority/exchange-log.ts";
import type { ExchangeQuestion, Position } from "../../agent/identity/authority-protocol.ts";
import { FakeClock } from "./fake-clock.ts";

const HOUR_MS = 3_600_000;
const sandbox = (uid: string, cookie = "1", addresses: readonly string[] = []) => ({ uid, cookie, addresses });

let clock: FakeClock;
let validUntil: Map<string, number>;
let heard: Map<string, number>;
let homes: Map<string, string>;
let log: ExchangeLog;

function open(instance: string): ExchangeLog {
  const nodes = { validUntil: () => validUntil, heard: () => heard };
  return new ExchangeLog({ instance, clock, nodes, nodeOf: (uid) => homes.get(uid) });
}

beforeEach(() => {
  clock = new FakeClock();
  validUntil = new Map();
  heard = new Map();
  homes = new Map();
  log = open("one");
});

function announce(node: string, version: number, ...uids: readonly string[]): readonly string[] {
  heard.set(node, clock.now());
  const sandboxes = uids.map((uid) => sandbox(uid));
  return log.report(node, { announced: { version, sandboxes }, follows: undefined });
}

function follow(node: string, revision: number, instance = "one"): void {
  heard.set(node, clock.now());
  log.report(node, { announced: undefined, follows: { instance, revision } });
}

function question(knows?: Position, change: Partial<ExchangeQuestion> = {}): ExchangeQuestion {
  return { knows, incomplete: [], followed: 0, waitingFor: [], ...change };
}

const at = (revision: number): Position => ({ instance: "one", revision });
const news = (node: string, knows?: Position) => {
  const { nodes, records, from } = log.news(node, question(knows));
  return {
    from,
    complete: nodes.filter(({ complete }) => complete).map((one) => one.node),
    records: records.map(({ uid, gone }) => (gone ? `-${uid}` : uid)),
  };
};

test("a new node gets all records, one that knows a revision what has changed since, and none its own", () => {
  announce("a", 1, "a1", "a2");
  announce("b", 1, "b1");
  expect(news("c")).toEqual({ from: 0, complete: ["a", "b"], records: ["a1", "a2", "b1"] });
  expect(news("a")).toEqual({ from: 0, complete: ["b"], records: ["b1"] });
  announce("a", 2, "a2", "a3");
  expect(news("c", at(2))).toEqual({ from: 2, complete: [], records: ["-a1", "a3"] });
  expect(news("c", at(1))).toEqual({ from: 1, complete: ["b"], records: ["-a1", "a3", "b1"] });
  expect(news("c", { instance: "two", revision: 2 })).toEqual({
    from: 0,
    complete: ["a", "b"],
    records: ["a2", "a3", "b1"],
  });
});

test("there are news for every node but the one that reported", () => {
  announce("a", 1, "a1");
  expect(log.hasNews("b", question())).toBe(true);
  expect(log.hasNews("b", question(at(1)))).toBe(false);
  announce("a", 2);
  expect(log.hasNews("b", question(at(1)))).toBe(true);
  expect(log.hasNews("a", question(at(1), { followed: 2 }))).toBe(false);
  announce("b", 1);
  expect(log.hasNews("a", question(at(2), { followed: 2 }))).toBe(true);
  expect(log.hasNews("b", question(at(2), { followed: 1 }))).toBe(false);
});

test("an older report, or the same one again, changes nothing", () => {
  announce("a", 5, "a1");
  announce("a", 4, "a2");
  announce("a", 5, "a3");
  expect(news("b").records).toEqual(["a1"]);
  expect(log.standing("a").version).toBe(5);
});

test("a sandbox with other addresses is news", () => {
  const report = (version: number, address: string): void => {
    log.report("a", { announced: { version, sandboxes: [sandbox("a1", "1", [address])] }, follows: undefined });
  };
  report(1, "10.0.0.1");
  const { revision } = log.position;
  report(2, "10.0.0.2");
  const { records } = log.news("b", question(at(revision)));
  expect(records.map(({ uid, addresses }) => [uid, addresses])).toEqual([["a1", ["10.0.0.2"]]]);
});

test("a recreated sandbox of the same pod is a record of its own", () => {
  announce("a", 1, "a1");
  log.report("a", { announced: { version: 2, sandboxes: [sandbox("a1", "2")] }, follows: undefined });
  const { records } = log.news("b", question(at(1)));
  expect(records.map(({ cookie, gone }) => [cookie, gone])).toEqual([
    ["1", true],
    ["2", undefined],
  ]);
});

test("a report is followed when every other node follows the revision that has it", () => {
  announce("a", 1, "a1");
  expect(log.standing("a")).toEqual({ instance: "one", version: 1, followed: "alone", waitingFor: [] });
  const lastHeard = new Date(clock.now()).toISOString();
  announce("b", 1);
  announce("c", 1);
  const both = [
    { node: "b", lastHeard },
    { node: "c", lastHeard },
  ];
  expect(log.standing("a")).toMatchObject({ followed: 0, waitingFor: both });
  follow("b", 1);
  expect(log.standing("a")).toMatchObject({ followed: 0, waitingFor: both.slice(1) });
  follow("c", 3);
  expect(log.standing("a")).toMatchObject({ followed: 1, waitingFor: [] });
  announce("a", 2);
  expect(log.standing("a")).toMatchObject({ version: 2, followed: 1, waitingFor: both });
  follow("b", 4);
  follow("c", 4);
  // Late, or of another instance.
  follow("b", 1);
  follow("b", 99, "two");
  expect(log.standing("a")).toMatchObject({ followed: 2, waitingFor: [] });
});

test("no node follows what has not been recorded yet", () => {
  announce("a", 1);
  follow("b", 99);
  announce("a", 2, "a1");
  expect(log.standing("a")).toMatchObject({ followed: 1 });
});

test("a node whose agent is away is waited for until its certificates have ended; then its records end", () => {
  announce("b", 1, "b1");
  announce("a", 1, "a1");
  validUntil.set("b", clock.now() + HOUR_MS);
  clock.advance(HOUR_MS - 1);
  heard.set("a", clock.now());
  log.refresh();
  expect(log.standing("a")).toMatchObject({ followed: 0, waitingFor: [{ node: "b" }] });
  expect(news("a").records).toEqual(["b1"]);
  clock.advance(1);
  log.refresh();
  expect(log.standing("a")).toMatchObject({ followed: "alone", waitingFor: [] });
  expect(log.news("a", question(at(2)))).toMatchObject({
    nodes: [{ node: "b", version: 0, ended: true }],
    records: [{ uid: "b1", gone: true }],
  });
  // Its agent is back, and says the same as before.
  announce("b", 1, "b1");
  expect(news("a").records).toEqual(["b1"]);
});

test("a node without certificates is waited for while its agent is here", () => {
  announce("b", 1);
  clock.advance(59_000);
  announce("a", 1);
  expect(log.standing("a")).toMatchObject({ followed: 0 });
  clock.advance(1_000);
  expect(log.standing("a")).toMatchObject({ followed: "alone" });
});

test("after a restart of the authority a node with certificates counts before it reports", () => {
  validUntil.set("b", clock.now() + HOUR_MS).set("gone", clock.now());
  log = open("two");
  announce("a", 7, "a1");
  expect(log.standing("a")).toMatchObject({ followed: 0, waitingFor: [{ node: "b", lastHeard: undefined }] });
  // Nothing is said of b, so that nodes keep what they know of it; the certificates of the other have ended.
  log.refresh();
  expect(log.news("a", question())).toMatchObject({ nodes: [{ node: "gone", complete: true, ended: true }] });
});

test("a node announces its own pods only: others are refused, and taken when the source says that they run there", () => {
  homes.set("b1", "b").set("a1", "a");
  expect(announce("a", 1, "a1", "b1", "unknown")).toEqual(["b1"]);
  expect(news("c").records).toEqual(["a1", "unknown"]);
  expect(log.status().get("a")?.refused).toEqual(["b1"]);
  homes.set("b1", "a").set("unknown", "b");
  expect([...log.refresh()]).toEqual([["a", ["unknown"]]]);
  expect(news("c").records).toEqual(["a1", "b1"]);
  expect([...log.refresh()]).toEqual([]);
});

test("a tombstone goes when all have followed it; who lags behind gets all of the node", () => {
  announce("b", 1);
  announce("a", 1, "a1", "a2");
  announce("a", 2, "a2");
  log.refresh();
  expect(news("b", at(2)).records).toEqual(["-a1"]);
  follow("b", 3);
  log.refresh();
  expect(news("b", at(2))).toEqual({ from: 2, complete: ["a"], records: ["a2"] });
  expect(news("b", at(3))).toEqual({ from: 3, complete: [], records: [] });
});

test("a node that left out news gets all records of it with the next", () => {
  announce("a", 1, "a1", "a2");
  announce("a", 2, "a1");
  const answer = log.news("b", question(at(1), { incomplete: ["a"] }));
  expect(answer).toMatchObject({ nodes: [{ node: "a", version: 2, complete: true }], records: [{ uid: "a1" }] });
});

test("the status names every node that counts", () => {
  announce("a", 1, "a1", "a2");
  validUntil.set("b", clock.now() + HOUR_MS);
  follow("c", 1);
  expect(Object.fromEntries(log.status())).toEqual({
    a: { sandboxes: 2, follows: 0, reported: true, refused: [] },
    b: { sandboxes: 0, follows: 0, reported: false, refused: [] },
    c: { sandboxes: 0, follows: 1, reported: false, refused: [] },
  });
});
