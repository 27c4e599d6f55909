import { expect, it } from "vitest";
import { WasmHost } from "../host/wasm-host.ts";
import type { Stream } from "../host/stream.ts";
import { CHAIN, EMPTY } from "./chain.ts";

const LIMIT_MS = 10_000;

function host(): WasmHost {
  const wasm = new WasmHost(CHAIN);
  expect(wasm.configure("first-byte", { ...EMPTY, firstByteMs: LIMIT_MS })).toBe(true);
  return wasm;
}

/** A second passes. */
function wait(wasm: WasmHost, seconds: number): void {
  for (let i = 0; i < seconds; i++) {
    wasm.now += 1_000;
    wasm.tick();
  }
}

function ended(wasm: WasmHost): number {
  return wasm.metrics.find(({ name }) => name === "ambit_silent_connections_total")?.value ?? 0;
}

it("ends a connection that has sent nothing within the time, and no other", () => {
  const wasm = host();
  const silent = wasm.connection({});
  const used = wasm.connection({});
  used.learn({ "request/protocol": "HTTP/1.1" });
  wait(wasm, 5);
  const late = wasm.connection({});
  wait(wasm, 4);
  expect([silent.isClosed, used.isClosed, late.isClosed]).toEqual([false, false, false]);
  wait(wasm, 1);
  expect([silent.isClosed, used.isClosed, late.isClosed]).toEqual([true, false, false]);
  wait(wasm, 100);
  expect([used.isClosed, late.isClosed]).toEqual([false, true]);
  expect(ended(wasm)).toBe(2);
});

it("forgets connections that end, in whatever order they do", () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
    [1, 2, 0],
  ]) {
    const wasm = host();
    const open = Array.from({ length: 4 }, () => wasm.connection({}));
    for (const index of order) wasm.end(open[index] as Stream);
    wait(wasm, LIMIT_MS / 1_000);
    expect(open.map(({ isClosed }) => isClosed)).toEqual([false, false, false, true]);
  }
});

it("keeps nothing of a connection that has ended", () => {
  const wasm = host();
  for (let i = 0; i < 10_000; i++) wasm.end(wasm.connection({}));
  const { size } = wasm.memory;
  for (let i = 0; i < 100_000; i++) wasm.end(wasm.connection({}));
  expect(wasm.memory.size).toBe(size);
});
