import { expect, it } from "vitest";
import { SharedData } from "../host/shared-data.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { CHAIN, EMPTY } from "./chain.ts";

const BUDGET = { service: "shop/web", percent: 50, intervalMs: 10_000, minCount: 0, minIntervalMs: 1000 };

function host(budget: Partial<typeof BUDGET> = {}, shared = new SharedData()): WasmHost {
  const wasm = new WasmHost(CHAIN, shared);
  expect(wasm.configure("outbound-routed", { ...EMPTY, retryBudgets: [{ ...BUDGET, ...budget }] })).toBe(true);
  return wasm;
}

/** Sends a request whose route asks for two retries; the retries that it may have. */
function send(wasm: WasmHost, tries: number | undefined = 3): number {
  const properties = { "xds/route_metadata/filter_metadata/ambit/retry": "shop/web|2" };
  const stream = wasm.request({ headers: { ":path": "/" }, properties });
  if (tries !== undefined) wasm.end(stream, { "upstream/request_attempt_count": tries });
  return Number(stream.header("x-envoy-max-retries"));
}

function total(wasm: WasmHost, requests: number, tries?: number): number {
  let retries = 0;
  for (let i = 0; i < requests; i++) {
    retries += send(wasm, tries);
    wasm.now += 1;
  }
  return retries;
}

it("gives no more retries than the percentage of requests, when every call needs all of them", () => {
  expect(total(host(), 1000)).toBe(500);
});

it("gives back what was not needed: calls that succeed at once cost nothing", () => {
  const wasm = host();
  total(wasm, 1000, 1);
  expect(total(wasm, 100)).toBe(200);
});

it("allows the minimum rate in each of its intervals, whatever the percentage", () => {
  const wasm = host({ percent: 0, minCount: 3 });
  expect(total(wasm, 100)).toBe(3);
  wasm.now += 1000;
  expect(total(wasm, 100)).toBe(3);
});

it("forgets what is older than the interval", () => {
  const wasm = host();
  total(wasm, 1000, 1);
  wasm.now += 10_000;
  expect(send(wasm)).toBe(0);
});

it("holds for all workers together, and while calls are under way", () => {
  const shared = new SharedData();
  const workers = [host({}, shared), host({}, shared)];
  let granted = 0;
  for (let i = 0; i < 500; i++) for (const worker of workers) granted += send(worker, undefined);
  expect(granted).toBe(500);
});

it("survives a clock that goes back", () => {
  const wasm = host();
  total(wasm, 100, 1);
  wasm.now -= 60_000;
  expect(send(wasm)).toBe(0);
  expect(total(wasm, 100)).toBeGreaterThan(40);
});

it("tells the router nothing where no route asks for retries", () => {
  const stream = host().request({ headers: { ":path": "/" } });
  expect(stream.header("x-envoy-max-retries")).toBeUndefined();
});

it("has Gateway API's default budget for a service that no policy names", () => {
  const wasm = new WasmHost(CHAIN);
  wasm.configure("outbound-routed", EMPTY);
  // 20 % of 1,000, and 10 in the one second that they take.
  expect(total(wasm, 1000)).toBeLessThanOrEqual(210);
});

it("counts retries and exhausted budgets", () => {
  const wasm = host();
  total(wasm, 100);
  const value = (name: string): number | undefined =>
    wasm.metrics.find((metric) => metric.name === `${name}|destination_service=shop/web`)?.value;
  expect(value("ambit_retries_total")).toBe(50);
  expect(value("ambit_retry_budget_exhausted_total")).toBeGreaterThan(50);
});
