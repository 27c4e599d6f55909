// load.mjs: reads one JSON job a line ({ kind, host, port, connections, seconds, tokens }), does it, prints one JSON line: how many
// answers, over how many seconds, p50 and p99 in ms, bytes, its own CPU seconds, and what was wrong (the run is void then).
import { lookup } from "node:dns/promises";
import { createInterface } from "node:readline";
import { http1Connection } from "./load-http1.mjs";
import { http2Connection } from "./load-http2.mjs";
import { bulkStream, shortConnections } from "./load-tcp.mjs";

/** Before this many ms nothing counts: connections are made, and on demand their clusters. */
const WARM_UP_MS = 300;

async function run({ kind, host, port, connections, seconds, tokens = [] }) {
  const { address } = await lookup(host, { family: 4 });
  const times = [];
  const wrong = [];
  let bytes = 0;
  let counting = false;
  const onAnswer = (ms, reason) => {
    if (reason !== undefined) wrong.push(reason);
    else if (counting) times.push(ms);
  };
  const options = { host, address, port, tokens, onAnswer };
  const open = {
    http1: () => http1Connection(options),
    http2: () => http2Connection({ ...options, grpc: false }),
    grpc: () => http2Connection({ ...options, grpc: true }),
    bulk: () =>
      bulkStream({
        host: address,
        port,
        onBytes: (count) => (bytes += counting ? count : 0),
        onWrong: (reason) => wrong.push(reason),
      }),
    connections: () => shortConnections({ ...options, host: address }),
  }[kind];
  const close = Array.from({ length: connections }, open);
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  console.log(JSON.stringify({ started: true }));
  counting = true;
  const cpu = process.cpuUsage();
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  counting = false;
  const elapsed = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  for (const end of close) end();
  const sorted = Float64Array.from(times).sort();
  const quantile = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    answers: times.length,
    seconds: elapsed,
    p50: quantile(0.5),
    p99: quantile(0.99),
    bytes,
    clientCpu: (user + system) / 1e6,
    wrong: wrong.length,
    reason: wrong[0],
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line))));
}
