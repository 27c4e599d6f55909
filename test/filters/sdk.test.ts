import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { exec } from "../../agent/lib/exec.ts";
import { WasmHost } from "../host/wasm-host.ts";

// A filter of somebody else's, with the SDK's classes.

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "ambit-sdk-"));
// The compiler takes no absolute path.
const SDK = relative(folder, join(ROOT, "assembly"));
const module = join(folder, "custom.wasm");

const SOURCE = `
import { Context, Counter, FilterHeadersStatusValues, get_configuration, GrpcStatusValues, Key, propertyText, registerRootContext,
  RootContext, send_local_response, set_tick_period_milliseconds, stream_context } from "${SDK}/index";
export { malloc, proxy_abi_version_0_2_1, proxy_on_configure, proxy_on_context_create, proxy_on_delete, proxy_on_done,
  proxy_on_log, proxy_on_request_headers, proxy_on_tick, proxy_on_vm_start } from "${SDK}/exports";

const SOURCE = Key.path(["filter_state", "ambit.source"]);

class CustomRoot extends RootContext {
  word: string = "";
  seen: u32 = 0;
  onConfigure(size: u32): bool {
    this.word = get_configuration(size);
    set_tick_period_milliseconds(100);
    return this.word.length > 0;
  }
  onTick(): void {
    new Counter("seen").increment(this.seen);
    this.seen = 0;
  }
  createContext(id: u32): Context {
    return new Custom(id, this);
  }
}

class Custom extends Context {
  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const root = changetype<CustomRoot>(this.root_context);
    const request = stream_context.headers.request;
    const path = request.get(":path");
    const agent = request.get("user-agent");
    const source = propertyText(SOURCE);
    if (path == "/refused") {
      send_local_response(418, "custom", agent, GrpcStatusValues.PermissionDenied);
      return FilterHeadersStatusValues.StopAllIterationAndBuffer;
    }
    request.replace("x-word", root.word + " " + path + " " + agent + " " + source);
    return FilterHeadersStatusValues.Continue;
  }
  onLog(): void {
    changetype<CustomRoot>(this.root_context).seen++;
  }
}
registerRootContext((id) => new CustomRoot(id), "custom");
`;

beforeAll(async () => {
  writeFileSync(join(folder, "custom.ts"), SOURCE);
  const asc = join(ROOT, "node_modules/assemblyscript/bin/asc.js");
  const flags = ["-O1", "--runtime", "incremental", "--use", "abort="];
  await exec(process.execPath, [asc, "custom.ts", "-o", module, ...flags], { cwd: folder });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("has its classes, and reads and writes what it is shown", () => {
  const wasm = new WasmHost(module);
  expect(wasm.configure("custom", "hello")).toBe(true);
  const headers = { ":path": "/a", "user-agent": "curl" };
  const stream = wasm.request({ headers, properties: { "filter_state/ambit.source": "alice" } });
  expect(stream.header("x-word")).toBe("hello /a curl alice");
  expect(wasm.request({ headers: { ...headers, ":path": "/refused" } }).answer).toMatchObject({
    status: 418,
    body: "curl",
  });
  wasm.end(stream);
  wasm.tick();
  expect(wasm.metrics).toMatchObject([{ name: "seen", value: 1 }]);
});

it("may be answered more than has room in memory of its own, and keeps its memory", () => {
  const wasm = new WasmHost(module);
  wasm.configure("custom", "hello");
  const long = "x".repeat(90_000);
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const stream = wasm.request({ headers: { ":path": "/a", "user-agent": long } });
      expect(stream.header("x-word")).toBe(`hello /a ${long} `);
      wasm.end(stream);
    }
  };
  run(100);
  const before = wasm.memory.size;
  run(300);
  expect(wasm.memory.size).toBe(before);
});
