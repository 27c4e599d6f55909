import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, type ClientHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureEnvoy } from "../../agent/envoy/find-envoy.ts";
import { filterEnvoy, policyConfiguration } from "../bench/filters/filters-config.ts";
import { CHAIN } from "../filters/chain.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../xds/envoy.ts";
import { withMemory } from "./filter-memory.ts";

/** Pages of 64 kB, in place of 8,192: the module has four when it starts. */
const PAGES = 5;
const AT_ONCE = 500;
const SESSIONS = 5;

const folder = mkdtempSync(join(tmpdir(), "ambit-memory-"));
let envoy: ChildProcess | undefined;
let server: Server | undefined;
let port = 0;
let answerLate = (): void => undefined;
const sessions: ClientHttp2Session[] = [];

/** Answers everything but what is to be held open. */
async function application(): Promise<number> {
  server = createServer((request, response) => {
    if (request.url === "/bench/late") answerLate = () => void response.end("the application");
    else if (request.url !== "/bench/hold") response.end("the application");
  });
  await new Promise<void>((resolve) => void server?.listen(0, "127.0.0.1", () => resolve()));
  return (server.address() as AddressInfo).port;
}

function session(): ClientHttp2Session {
  const made = connect(`http://127.0.0.1:${port}`);
  made.on("error", () => undefined);
  sessions.push(made);
  return made;
}

/** The status of the answer; 0 without one. */
function ask(over: ClientHttp2Session, path: string): Promise<number> {
  return new Promise((resolve) => {
    const stream = over.request({ ":path": path });
    stream.on("response", (headers) => resolve(headers[":status"] ?? 0));
    stream.on("error", () => resolve(0));
    stream.on("close", () => resolve(0));
    stream.resume();
  });
}

beforeAll(async () => {
  const file = join(folder, "chain.wasm");
  writeFileSync(file, withMemory(readFileSync(CHAIN), PAGES));
  port = await freePort();
  const adminSocket = join(folder, "admin.sock");
  const module = { file, rootId: "outbound", configuration: policyConfiguration() };
  const config = filterEnvoy({ port, adminSocket, upstream: await application(), module });
  writeFileSync(join(folder, "envoy.json"), JSON.stringify(config));
  const { path } = await ensureEnvoy();
  const args = ["-c", join(folder, "envoy.json"), "--concurrency", "1", "--disable-hot-restart"];
  const logged = ["--log-path", join(folder, "envoy.log"), "--file-flush-interval-msec", "50"];
  envoy = spawn(path, [...args, ...logged], { stdio: "ignore" });
  await eventually(() => expect(existsSync(adminSocket)).toBe(true));
  await eventually(async () => expect(await ask(session(), "/bench")).toBe(200));
});
afterAll(() => {
  for (const each of sessions) each.destroy();
  server?.close();
  envoy?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

it("filters without memory answer 503, start anew, and never without their policies", async () => {
  const own = session();
  expect(await ask(own, "/other")).toBe(403);
  const refused: Promise<number>[] = [];
  const open = ask(own, "/bench/late");
  for (let i = 0; i < SESSIONS; i++) {
    const flood = session();
    for (let j = 0; j < AT_ONCE; j++) refused.push(ask(flood, "/bench/hold"));
  }
  const seen = new Set<number>();
  const log = (): string => readFileSync(join(folder, "envoy.log"), "utf8");
  await expect
    .poll(async () => {
      seen.add(await ask(own, "/other"));
      return log().includes("Function: ");
    })
    .toBe(true);
  answerLate();
  // What was open in that worker is lost, too.
  expect(await open).toBe(503);
  for (const each of sessions) if (each !== own) each.destroy();
  const statuses = await Promise.all(refused);
  expect(statuses).toContain(503);
  expect(statuses).not.toContain(200);
  await expect
    .poll(async () => {
      seen.add(await ask(own, "/other"));
      await sleep(50);
      return [await ask(own, "/bench"), await ask(own, "/other")];
    })
    .toEqual([200, 403]);
  expect([...seen].filter((status) => ![403, 503].includes(status))).toEqual([]);
  expect(envoy?.exitCode).toBeNull();
});
