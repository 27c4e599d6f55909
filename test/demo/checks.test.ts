import { expect, test } from "vitest";
import {
  denied,
  encrypted,
  plainSuccess,
  retriedSuccess,
  sameProcesses,
  sourceAddress,
  withinBudget,
} from "../../deploy/demo/once/checks.ts";
import type { DemoPod } from "../../deploy/demo/shop/demo-lab.ts";
import type { Bout, Cast } from "../../deploy/demo/shop/measures.ts";
import { REQUIRED_CHECKS, reportOf } from "../../deploy/demo/run.ts";

function bout(statuses: Record<string, number>, reached = 0, peers: Bout["outcome"]["peers"] = {}): Bout {
  return {
    outcome: { statuses, peers, samples: [], seconds: 1 },
    reached,
    reachedByPath: {},
    reachedByPeer: {},
    identities: {},
  };
}

test.each([
  [800, 200, true],
  [770, 230, true],
  [760, 240, false],
  [1000, 0, false],
  [0, 0, false],
])("before and after: %i good and %i failed calls pass: %s", (good, bad, passed) => {
  expect(plainSuccess("any", bout({ 200: good, 503: bad })).passed).toBe(passed);
});

test.each([
  [985, 15, true],
  [980, 20, true],
  [979, 21, false],
])("enrolled: %i good and %i failed calls pass: %s", (good, bad, passed) => {
  expect(retriedSuccess(bout({ 200: good, 503: bad }, 1250)).passed).toBe(passed);
});

test.each([
  ["a little of the budget", 1100, true],
  ["all of the budget", 1500, true],
  ["more than the budget", 1521, false],
  ["no retry at all", 1000, false],
  ["every try", 3000, false],
])("budget: %s", (_name, reached, passed) => {
  expect(withinBudget(bout({ 503: 1000 }, reached)).passed).toBe(passed);
});

test("a denied call that reached the application fails, as does one that was let through", () => {
  expect(denied("any", bout({ 403: 60 }), 0).passed).toBe(true);
  expect(denied("any", bout({ 403: 60 }), 1).passed).toBe(false);
  expect(denied("any", bout({ 403: 59, 200: 1 }), 0).passed).toBe(false);
  expect(denied("any", bout({}), 0).passed).toBe(false);
});

test("a process that is not what it was is named", () => {
  expect(sameProcesses(["a 1 0", "b 2 0"], ["a 1 0", "b 2 0"]).passed).toBe(true);
  const changed = sameProcesses(["a 1 0", "b 2 0"], ["a 1 0", "b 3 1"]);
  expect(changed.passed).toBe(false);
  expect(changed.measured["changed"]).toEqual(["gone: b 2 0", "new: b 3 1"]);
  expect(sameProcesses([], []).passed).toBe(false);
});

const pod = (name: string, node: string, ip: string): DemoPod => ({
  namespace: "shop",
  name,
  node,
  ip,
  enrolled: true,
  containers: [],
});
const cast: Cast = {
  storefront: pod("storefront", "node-1", "10.0.1.1"),
  loadgen: pod("loadgen", "node-2", "10.0.2.1"),
  stranger: pod("stranger", "node-2", "10.0.2.9"),
  inventories: [pod("inventory-a", "node-1", "10.0.1.2"), pod("inventory-b", "node-2", "10.0.2.2")],
};

test("between nodes every call has to be by mTLS, under the storefront's identity", () => {
  const shown = (near: string, ...far: readonly string[]): boolean => {
    const identities = { "10.0.1.2": { [near]: 5 }, "10.0.2.2": Object.fromEntries(far.map((each) => [each, 5])) };
    return encrypted({ ...bout({ 200: 10 }, 10), identities }, cast).passed;
  };
  const storefront = "spiffe://cluster.local/ns/shop/sa/storefront";
  expect(shown("none", storefront)).toBe(true);
  expect(shown("none", "none")).toBe(false);
  expect(shown("none", storefront, "none")).toBe(false);
  expect(shown("none", "spiffe://cluster.local/ns/shop/sa/loadgen")).toBe(false);
  expect(shown("none")).toBe(false);
});

test("the client's address has to be seen on both nodes, and nothing else", () => {
  const seen = (near: string, far: string): Bout =>
    bout({ 200: 2 }, 2, { "10.0.1.2": { [near]: 1 }, "10.0.2.2": { [far]: 1 } });
  expect(sourceAddress(seen("10.0.1.1", "10.0.1.1"), cast).passed).toBe(true);
  expect(sourceAddress(seen("127.0.0.1", "10.0.1.1"), cast).passed).toBe(false);
  expect(sourceAddress(seen("10.0.1.1", "10.0.2.254"), cast).passed).toBe(false);
  expect(sourceAddress(bout({ 200: 1 }, 1, { "10.0.1.2": { "10.0.1.1": 1 } }), cast).passed).toBe(false);
});

test("the run passes only with every required check", () => {
  const checks = REQUIRED_CHECKS.map((name) => ({ name, passed: true, expected: "", measured: {} }));
  expect(reportOf(checks, 1, undefined, true).passed).toBe(true);
  expect(reportOf(checks.slice(1), 1, undefined, true).passed).toBe(false);
  expect(reportOf(checks, 1, new Error("cut short"), true)).toMatchObject({ passed: false, failure: "cut short" });
});
