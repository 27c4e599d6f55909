import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { serve } from "../../agent/lib/http-server.ts";
import { listen } from "../../agent/lib/listen.ts";
import { createLogger } from "../../agent/lib/log.ts";
import { openUnix } from "../../agent/lib/unix-http.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { createAgentMetrics } from "../../agent/node/metrics/agent-metrics.ts";
import type { AgentStatus } from "../../agent/node/agent-status.ts";
import { eventually } from "../support/eventually.ts";

// A tenant chooses how large the page of metrics is, up to its limit of series. The agent's memory must not depend on that.

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const FIGURES = [
  ...["count", "duration_0", "duration_16", "duration_3", "duration_5", "duration_6", "duration_7", "duration_sum"],
  ...["request_0", "request_1", "request_2", "request_3", "request_4", "request_sum"],
  ...["response_0", "response_1", "response_2", "response_3", "response_4", "response_sum"],
];
const PADDING = "x".repeat(880);
const series = (i: number): string =>
  `wasmcustom.istio_http|reporter=source|source_workload=app|source_workload_namespace=shop|host=${PADDING}|n=${10_000 + i}`;

/** What is asked of Envoy's administration at the moment, at most, and in all. */
let asked = { now: 0, most: 0, bytes: 0 };
/** How many pages have been asked for. */
let scrapes = 0;
/** Series on Envoy's page. */
let size = 1;

/** Envoy's statistics as text, sorted by name. */
function* envoyPage(filter: RegExp): Iterable<string> {
  if (filter.test("server.live")) yield "server.live: 1\n";
  if (filter.test("wasmcustom.ambit_retries_total|a=b")) yield "wasmcustom.ambit_retries_total|a=b: 7\n";
  const wanted = FIGURES.filter((figure) => filter.test(`${series(0)}.${figure}`));
  for (let i = 0; i < size && wanted.length > 0; i++) {
    const portion = wanted.map((figure) => `${series(i)}.${figure}: 3\n`).join("");
    asked.bytes += portion.length;
    yield portion;
  }
}

const folder = mkdtempSync(join(tmpdir(), "ambit-page-"));
const [envoyAdmin, socketPath] = [join(folder, "envoy.sock"), join(folder, "agent.sock")];
const status = { pods: [], problems: [], xds: { nacks: [] }, envoy: { restarts: 0 }, ready: true, node: "node-1" };
const here = { node: "node-1", terminated: false, meta: { namespace: "shop" }, workloadName: "app" };
const metrics = createAgentMetrics({
  status: () => status as unknown as AgentStatus,
  pushes: () => 0,
  limits: { counts: () => new Map(), descriptors: 0 },
  counters: () => ({}),
  mesh: () => ({ workloads: [here] }) as unknown as Mesh,
  envoyAdmin,
});
const { contentType, page: body } = metrics;
const handlers = {
  "/metrics": () => {
    scrapes++;
    return { status: 200, contentType, body };
  },
};
const log = createLogger("test", "silent");
let envoy: Server;
let answers: Server;

beforeEach(async () => {
  const counts = { now: 0, most: 0, bytes: 0 };
  asked = counts;
  scrapes = 0;
  envoy = createServer((request, response) => {
    if (request.url === "/ready") return void response.end();
    const filter = new URL(request.url ?? "", "http://envoy").searchParams.get("filter") ?? "";
    counts.most = Math.max(counts.most, ++counts.now);
    response.on("close", () => counts.now--);
    const page = Readable.from(envoyPage(new RegExp(filter, "u")), { objectMode: false });
    response.on("close", () => page.destroy());
    page.pipe(response);
  });
  await listen(envoy, { socketPath: envoyAdmin });
  // The machine may be busy with much else.
  answers = await serve({ socketPath }, handlers, log, { answerMs: 300_000 });
});

afterEach(() => {
  for (const server of [envoy, answers]) {
    server.close();
    server.closeAllConnections();
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scrape = (signal?: AbortSignal): Promise<IncomingMessage> => openUnix(socketPath, "/metrics", { signal });

it("has the samples of each metric together, under its type", async () => {
  size = 2;
  const page = await text(await scrape());
  const proxy = page.slice(page.indexOf("# TYPE istio_requests_total")).trimEnd().split("\n");
  const declared = proxy.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2] ?? "");
  expect(declared).toEqual([
    "istio_requests_total",
    "istio_request_duration_milliseconds",
    "istio_request_bytes",
    "istio_response_bytes",
    "ambit_retries_total",
    "envoy_server_live",
  ]);
  let metric = "";
  const strays = proxy.filter((line) => {
    if (line.startsWith("# TYPE")) metric = line.split(" ")[2] ?? "";
    return !line.startsWith("# TYPE") && !line.startsWith(metric);
  });
  expect(strays).toEqual([]);
  expect(proxy.filter((line) => !line.startsWith("#"))).toHaveLength(2 * (1 + 19 + 10 + 10) + 2);
  const duration = proxy.filter((line) => line.startsWith("istio_request_duration") && line.includes('n="10001"'));
  expect(
    duration.map((line) => line.replace(/\{.*(?:10001"),?/u, "{").replace("istio_request_duration_milliseconds", "")),
  ).toEqual([
    ...['_bucket{le="0.5"} 3', '_bucket{le="1"} 3', '_bucket{le="5"} 3', '_bucket{le="10"} 6', '_bucket{le="25"} 6'],
    ...['_bucket{le="50"} 9', '_bucket{le="100"} 12', '_bucket{le="250"} 15', '_bucket{le="500"} 15'],
    ...['_bucket{le="1000"} 15', '_bucket{le="2500"} 15', '_bucket{le="5000"} 15', '_bucket{le="10000"} 15'],
    ...['_bucket{le="30000"} 15', '_bucket{le="60000"} 15', '_bucket{le="300000"} 15', '_bucket{le="+Inf"} 3'],
    ...["_sum{} 3", "_count{} 3"],
  ]);
});

it("costs the agent little memory, however large it is", async () => {
  size = 5_000;
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  let [bytes, lines, most, next] = [0, 0, 0, 0];
  for await (const part of (await scrape()) as AsyncIterable<Buffer>) {
    bytes += part.length;
    for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) lines++;
    if (bytes < next) continue;
    next = bytes + (40 << 20);
    most = Math.max(most, used() - before);
  }
  expect(asked.bytes).toBeGreaterThan(100e6);
  expect(lines).toBeGreaterThan(40 * size);
  expect(most).toBeLessThan(30e6);
}, 300_000);

/** Asks for a page and reads none of it. */
function ask(signal: AbortSignal): Promise<unknown> {
  return scrape(signal).then(
    (response) => response.on("error", () => undefined),
    () => undefined,
  );
}

it("is made for two at a time, and for nobody who has gone", async () => {
  size = 1_000;
  const gone = new AbortController();
  setMaxListeners(0, gone.signal);
  const waiting = Array.from({ length: 20 }, () => ask(gone.signal));
  await eventually(() => expect(asked.now).toBe(2));
  await eventually(() => expect(scrapes).toBe(20));
  // Whatever they have asked Envoy for has come there before this.
  await text(await openUnix(envoyAdmin, "/ready"));
  expect(asked.most).toBe(2);
  gone.abort();
  await Promise.all(waiting);
  await eventually(() => expect(asked.now).toBe(0));
  size = 1;
  expect(await text(await scrape())).toContain("\nenvoy_server_live 1\n");
});

it("is broken off for who does not take it in time", async () => {
  size = 1_000;
  const gone = new AbortController();
  answers.close();
  answers = await serve({ socketPath }, handlers, log, { answerMs: 500 });
  const waiting = [ask(gone.signal), ask(gone.signal)];
  await eventually(() => expect(asked.now).toBe(2));
  await eventually(() => expect(asked.now).toBe(0));
  size = 1;
  expect(await text(await scrape())).toContain("\nenvoy_server_live 1\n");
  gone.abort();
  await Promise.all(waiting);
});
