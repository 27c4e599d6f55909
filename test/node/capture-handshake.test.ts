import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CaptureHandshake } from "../../agent/node/capture-handshake.ts";
import { eventually } from "../support/eventually.ts";

let folder: string;
let now: number;
const open: CaptureHandshake[] = [];

/** A node whose agent looks at once, as the kernel tells it. */
function node(name: string, reports: string | undefined = folder): CaptureHandshake {
  const handshake = new CaptureHandshake({ folder: reports, node: name, onChange: () => undefined, now: () => now });
  open.push(handshake);
  return handshake;
}

/** What `one` tells has come to `other`. */
async function seen(other: CaptureHandshake, ...uids: readonly string[]): Promise<void> {
  await eventually(() => expect([...other.captured].toSorted()).toEqual(uids));
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ambit-reports-"));
  now = 1_000_000;
});
afterEach(() => {
  for (const handshake of open.splice(0)) handshake.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a node is told of the others' pods, and not of its own", async () => {
  const [one, two] = [node("one"), node("two")];
  one.announce(["b", "a"]);
  await seen(two, "a", "b");
  expect([...one.captured]).toEqual([]);
  expect(readdirSync(folder).toSorted()).toEqual(["one.json", "two.json"]);
});

test("who leaves is let go when every node has followed, and a moment has passed", async () => {
  const [one, two, three] = [node("one"), node("two"), node("three")];
  one.announce(["a", "b"]);
  for (const each of [two, three]) {
    await seen(each, "a", "b");
    each.follow(each.versions);
  }
  now += 10;
  one.announce(["b"]);
  expect(one.hasLeft("a")).toBe(false);
  await seen(two, "b");
  two.follow(two.versions);
  expect(one.hasLeft("a")).toBe(false);
  await seen(three, "b");
  three.follow(three.versions);
  expect(one.hasLeft("a")).toBe(false);
  now += 300;
  expect(one.hasLeft("a")).toBe(true);
});

test("who joins is known when every node has followed, and a moment has passed", async () => {
  const [one, two] = [node("one"), node("two")];
  one.announce(["a"]);
  expect([...one.followed]).toEqual([]);
  await seen(two, "a");
  two.follow(two.versions);
  expect([...one.followed]).toEqual([]);
  now += 300;
  expect([...one.followed]).toEqual(["a"]);
  one.announce(["a", "b"]);
  expect([...one.followed]).toEqual(["a"]);
  one.close();
  expect([...node("one").followed]).toEqual(["a", "b"]);
});

test("a node that has said nothing yet is waited for, too: it may be about to follow", () => {
  const [one] = [node("one"), node("two")];
  one.announce(["a"]);
  one.announce([]);
  expect(one.hasLeft("a")).toBe(false);
});

test("a node that does not follow is not waited for longer than five seconds", async () => {
  const [one, two] = [node("one"), node("two")];
  two.announce(["x"]);
  one.announce(["a"]);
  await seen(one, "x");
  one.announce([]);
  now += 4_000;
  expect(one.hasLeft("a")).toBe(false);
  now += 1_000;
  expect(one.hasLeft("a")).toBe(true);
});

test("who comes back has not left", async () => {
  const [one, two] = [node("one"), node("two")];
  two.announce(["x"]);
  one.announce(["a"]);
  await seen(one, "x");
  one.announce([]);
  one.announce(["a"]);
  await seen(two, "a");
  expect([...two.captured]).toEqual(["a"]);
});

test("an agent that starts anew goes on from what the one before it has told, with versions that grow", async () => {
  const [one, two] = [node("one"), node("two")];
  one.announce(["a"]);
  await seen(two, "a");
  const { one: before = 0 } = two.versions;
  one.close();
  // Its clock may have been set back meanwhile.
  now -= 500;
  const again = node("one");
  await seen(two, "a");
  again.announce([]);
  await seen(two);
  expect(two.versions["one"]).toBeGreaterThan(before);
});

test("what is no report of its node is nobody's word", async () => {
  const one = node("one");
  writeFileSync(join(folder, "two.json"), '{"node":"three","version":1,"captured":["a"],"follows":{}}');
  writeFileSync(join(folder, "four.json"), '{"node":"four","version":1,"captured":[1],"follows":{}}');
  writeFileSync(join(folder, "five.json"), '{"node":"five",');
  node("six").announce(["f"]);
  await seen(one, "f");
  expect(Object.keys(one.versions)).toEqual(["six"]);
});

test("a node alone waits for nobody", () => {
  const alone = node("one", undefined);
  alone.announce(["a"]);
  alone.announce([]);
  expect(alone.hasLeft("a")).toBe(true);
});
