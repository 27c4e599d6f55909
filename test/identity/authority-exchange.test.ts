import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AuthorityClient } from "../../agent/identity/node/authority-client.ts";
import { openAuthorityExchange } from "../../agent/identity/node/authority-exchange.ts";
import { NO_EXCHANGE } from "../../agent/identity/node/no-exchange.ts";
import { makeRequest } from "../../agent/identity/x509/certificate-request.ts";
import { createLogger } from "../../agent/lib/log.ts";
import { ALONE, type Exchange } from "../../agent/model/exchange.ts";
import { eventually } from "../support/eventually.ts";
import { API, AuthorityFixture, LIFETIME_MS, WEB } from "./authority-fixture.ts";
import { FakeClock } from "./fake-clock.ts";

const log = createLogger("test", "silent");
const sandboxes = (...uids: readonly string[]) => uids.map((uid) => ({ uid, cookie: "1", addresses: ["10.0.0.1"] }));

let clock: FakeClock;
let fixture: AuthorityFixture;
let folder: string;
let clients: Map<string, AuthorityClient>;
let open: Set<Exchange>;

beforeEach(async () => {
  clock = new FakeClock();
  fixture = await AuthorityFixture.start(clock);
  folder = mkdtempSync(join(tmpdir(), "ambit-exchange-"));
  clients = new Map();
  open = new Set();
});
afterEach(() => {
  for (const exchange of open) exchange.close();
  for (const client of clients.values()) client.close();
  fixture.remove();
  rmSync(folder, { recursive: true });
});

/** An agent's end. `follows`: its proxy goes by what it hears at once. */
async function start(node: string, follows = true): Promise<Exchange> {
  const client = clients.get(node) ?? (await fixture.join(node));
  clients.set(node, client);
  const exchange = openAuthorityExchange(client, { file: fileOf(node), clock, log, random: () => 0.5 });
  if (follows) {
    exchange.follow(exchange.revision());
    exchange.onChange(() => exchange.follow(exchange.revision()));
  }
  open.add(exchange);
  return exchange;
}

function stop(exchange: Exchange): void {
  exchange.close();
  open.delete(exchange);
}

const fileOf = (node: string): string => join(folder, `${node}.json`);
const captured = (exchange: Exchange): readonly string[] =>
  [...exchange.captured().keys()].map((pod) => pod.replace(/^.*\//u, "")).toSorted();
const waited = (exchange: Exchange): readonly string[] => exchange.waitingFor().map(({ node }) => node);
const until = (condition: () => unknown, wanted: unknown = true): Promise<void> =>
  eventually(() => expect(condition()).toEqual(wanted));
/** The same, while time goes on: what failed is tried again. */
const untilRetried = (condition: () => unknown, wanted: unknown = true): Promise<void> =>
  eventually(() => {
    clock.advance(1_000);
    expect(condition()).toEqual(wanted);
  }, 20);

test("nodes hear of each other's sandboxes, and learn when all have followed", async () => {
  const n1 = await start("n1");
  const first = n1.announce(sandboxes("p1"));
  await until(() => n1.followed(), ALONE);
  const n2 = await start("n2");
  const n3 = await start("n3", false);
  await until(() => [captured(n2), captured(n3)], [["p1"], ["p1"]]);
  const before = n2.captured();
  const joined = n1.announce(sandboxes("p1", "p2"));
  expect(joined).toBeGreaterThan(first);
  expect(n1.followed()).toBe(first);
  await until(() => captured(n3), ["p1", "p2"]);
  await until(() => waited(n1), ["n3"]);
  expect(n2.captured()).not.toBe(before);
  n3.follow(n3.revision());
  await until(() => n1.followed(), joined);
  expect(n1.waitingFor()).toEqual([]);
  // The same again is no news, whatever its order.
  expect(n1.announce(sandboxes("p2", "p1"))).toBe(joined);
  const left = n1.announce(sandboxes("p2"));
  await until(() => captured(n3), ["p2"]);
  await until(() => [n1.followed(), waited(n1)], [joined, ["n3"]]);
  n3.follow(n3.revision());
  await until(() => n1.followed(), left);
  expect([n1, n2, n3].map((one) => one.trouble())).toEqual([undefined, undefined, undefined]);
});

test("what is not followed yet is not taken for followed when more comes", async () => {
  const n1 = await start("n1");
  const n2 = await start("n2", false);
  const first = n1.announce(sandboxes("p1"));
  await until(() => captured(n2), ["p1"]);
  const revision = n2.revision();
  const second = n1.announce(sandboxes("p1", "p2"));
  await until(() => captured(n2), ["p1", "p2"]);
  expect(n2.revision()).toBeGreaterThan(revision);
  n2.follow(revision);
  await until(() => n1.followed(), first);
  n2.follow(n2.revision());
  await until(() => n1.followed(), second);
});

test("a new authority asks all nodes; nobody forgets a node that has not reported to it yet", async () => {
  const [n1, n2, n3] = [await start("n1"), await start("n2"), await start("n3")];
  const version = n1.announce(sandboxes("p1"));
  n2.announce(sandboxes("q1"));
  await until(() => [captured(n1), captured(n2), captured(n3)], [["q1"], ["p1"], ["p1", "q1"]]);
  await until(() => n1.followed(), version);
  stop(n2);
  const changes: unknown[] = [];
  n3.onChange(() => changes.push(captured(n3)));
  fixture.stopServing();
  await untilRetried(() => n3.trouble()?.includes("does not answer"));
  fixture.restart();
  await fixture.serve();
  await untilRetried(() => [n1.trouble(), n3.trouble()], [undefined, undefined]);
  const next = n1.announce(sandboxes("p2"));
  await untilRetried(() => captured(n3), ["p2", "q1"]);
  await untilRetried(() => n1.followed(), next);
  expect(captured(n1)).toEqual(["q1"]);
  // It is back, and its pod has left meanwhile.
  const again = await start("n2");
  await untilRetried(() => captured(again), ["p2"]);
  again.announce([]);
  await untilRetried(() => [captured(n1), captured(n3)], [[], ["p2"]]);
  expect(changes).not.toContainEqual([]);
});

test("an agent that starts while the authority is away knows what it knew", async () => {
  const n1 = await start("n1");
  const n2 = await start("n2");
  const version = n1.announce(sandboxes("p1"));
  n2.announce(sandboxes("q1"));
  await until(() => [captured(n1), n1.followed()], [["q1"], version]);
  stop(n1);
  fixture.stopServing();
  const after = await start("n1");
  expect([captured(after), after.followed()]).toEqual([["q1"], version]);
  await until(() => after.trouble()?.includes("does not answer"));
  expect(after.announce(sandboxes("p1"))).toBe(version);
  const next = after.announce([]);
  expect(next).toBeGreaterThan(version);
  expect(after.followed()).toBe(version);
  await fixture.serve();
  await untilRetried(() => [captured(n2), after.followed()], [[], next]);
});

test("one answer of the authority is enough to know that it is back", async () => {
  const n1 = await start("n1");
  await until(() => n1.followed(), ALONE);
  fixture.stopServing();
  await until(() => n1.trouble()?.includes("does not answer"));
  await fixture.serve();
  // Time stands still: nothing is tried again by itself.
  const { csrPem: csr } = await makeRequest(WEB);
  await clients.get("n1")?.sign({ spiffeId: WEB, csr }, new AbortController().signal);
  await eventually(() => expect(n1.trouble()).toBeUndefined());
});

test("a silent node is waited for until its certificates have ended", async () => {
  const [n1, n2] = [await start("n1"), await start("n2")];
  const { csrPem: csr } = await makeRequest(API);
  await clients.get("n2")?.sign({ spiffeId: API, csr }, new AbortController().signal);
  n2.announce(sandboxes("q1"));
  const first = n1.announce(sandboxes("p1"));
  await until(() => [captured(n1), n1.followed()], [["q1"], first]);
  stop(n2);
  const second = n1.announce([]);
  await until(() => waited(n1), ["n2"]);
  expect(n1.waitingFor()[0]?.lastHeard).toBe(new Date(clock.now()).toISOString());
  clock.advance(LIFETIME_MS - 60_000);
  fixture.exchange.refresh();
  await until(() => n1.trouble() === undefined);
  expect([waited(n1), n1.followed(), captured(n1)]).toEqual([["n2"], first, ["q1"]]);
  // Ends are written down to the hour.
  clock.advance(2 * 3_600_000);
  fixture.exchange.refresh();
  await until(() => [n1.followed(), captured(n1), waited(n1)], [ALONE, [], []]);
  expect(second).toBeGreaterThan(first);
});

test("a node whose records the authority has ended tells it again, though nothing has changed", async () => {
  const [n1, n2] = [await start("n1"), await start("n2")];
  n2.announce(sandboxes("q1"));
  n1.announce(sandboxes("p1"));
  await until(() => [captured(n1), captured(n2)], [["q1"], ["p1"]]);
  // The authority's clock is a day ahead for a while: it takes both for nodes that have left.
  clock.advance(2 * LIFETIME_MS);
  fixture.exchange.refresh();
  expect(fixture.exchange.nodes().size).toBe(0);
  await eventually(() => {
    expect([...fixture.exchange.nodes().values()].map(({ reported }) => reported)).toEqual([true, true]);
    expect([captured(n1), captured(n2)]).toEqual([["q1"], ["p1"]]);
  });
});

test("a node's pods are announced by that node alone", async () => {
  const [n1, n2] = [await start("n1"), await start("n2")];
  fixture.pods.set("p1", "n1").set("q1", "n2");
  n1.announce(sandboxes("p1", "q1", "new"));
  await until(() => captured(n2), ["new", "p1"]);
  fixture.pods.set("q1", "n1");
  fixture.exchange.refresh();
  await eventually(() => expect(captured(n2)).toEqual(["new", "p1", "q1"]));
});

test("a node that has lost its folder is not taken for one that is followed", async () => {
  const [n1, n2] = [await start("n1"), await start("n2", false)];
  const version = n1.announce(sandboxes("p1"));
  await until(() => captured(n2), ["p1"]);
  n2.follow(n2.revision());
  await until(() => n1.followed(), version);
  stop(n1);
  rmSync(fileOf("n1"));
  // Its clock is behind, too.
  clock.advance(-100_000);
  const after = await start("n1");
  const next = after.announce(sandboxes("p1", "p2"));
  expect(next).toBeLessThan(version);
  await until(() => captured(n2), ["p1", "p2"]);
  expect(after.followed()).toBe(0);
  n2.follow(n2.revision());
  await until(() => after.followed() > version);
});

test.each([
  ...["", "{}", "[]", "null", "7", '{"announced":{"version":1,"sandboxes":[]},"followed":0}'],
  '{"announced":{"version":1,"sandboxes":[]},"followed":0,"versions":{},"records":[null]}',
  '{"announced":{"version":"1","sandboxes":[]},"followed":0,"versions":{},"records":[]}',
])("a file that holds something else is none: %s", async (text) => {
  writeFileSync(fileOf("n1"), text);
  const [n1, n2] = [await start("n1"), await start("n2")];
  n1.announce(sandboxes("p1"));
  await eventually(() => expect(captured(n2)).toEqual(["p1"]));
});

test("a file that cannot be read is none, and one that cannot be written changes nothing", async () => {
  writeFileSync(fileOf("n1"), '{"announced"');
  const n1 = await start("n1");
  rmSync(folder, { recursive: true });
  n1.announce(sandboxes("p1"));
  const n2 = await start("n2");
  await until(() => captured(n2), ["p1"]);
  folder = mkdtempSync(join(tmpdir(), "ambit-exchange-"));
  const version = n1.announce(sandboxes("p1", "p2"));
  await until(() => n1.followed(), version);
  expect(() => readFileSync(fileOf("n1"))).toThrow("ENOENT");
});

test("without an authority a node is alone", () => {
  const version = NO_EXCHANGE.announce(sandboxes("p1"));
  expect(NO_EXCHANGE.followed()).toBeGreaterThan(version);
  expect([captured(NO_EXCHANGE), waited(NO_EXCHANGE)]).toEqual([[], []]);
});
