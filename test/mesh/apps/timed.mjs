// timed.mjs URL SECONDS: requests one after the other. Prints as JSON how many were answered 200, how many were not, and the
// 99th percentile of their times in milliseconds.
import { Agent, get } from "node:http";

const [url, seconds] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });
const PATIENCE_MS = 10_000;

const ask = () =>
  new Promise((resolve) => {
    const call = get(url, { agent, timeout: PATIENCE_MS }, (response) => {
      response.resume();
      response.on("error", () => resolve(false));
      response.on("end", () => resolve(response.statusCode === 200));
    });
    call.on("timeout", () => call.destroy());
    call.on("error", () => resolve(false));
  });

const times = [];
let failed = 0;
for (const end = Date.now() + Number(seconds) * 1000; Date.now() < end;) {
  const began = performance.now();
  if (await ask()) times.push(performance.now() - began);
  else failed++;
  await new Promise((resolve) => setTimeout(resolve, 2));
}
times.sort((a, b) => a - b);
console.log(JSON.stringify({ answered: times.length, failed, p99: times[Math.floor(times.length * 0.99)] ?? 0 }));
process.exit(0);
