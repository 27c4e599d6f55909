// Calls a URL at a steady rate, and in runs that its control socket asks for.
import { Connections } from "./connections.mjs";
import { endOnSignal, podAddress, serveControl } from "./control.mjs";

const steadyUrl = process.env["URL"] ?? "";
const rate = Number(process.env["RATE"] ?? 0);
const connections = new Connections();
const totals = { sent: 0, ok: 0 };

/**
 * @param {string} url
 * @param {number} count requests in all
 * @param {number} concurrency requests at a time
 */
async function run(url, count, concurrency) {
  const outcome = { statuses: {}, peers: {}, servers: {}, samples: [], seconds: 0 };
  const started = performance.now();
  let left = count;
  const worker = async () => {
    while (left-- > 0) note(outcome, await connections.get(url));
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  outcome.seconds = (performance.now() - started) / 1000;
  return outcome;
}

/** Counts statuses, and the client addresses that each server saw. */
function note(outcome, { status, body }) {
  outcome.statuses[status] = (outcome.statuses[status] ?? 0) + 1;
  const said = parse(body);
  const inventory = said?.inventory ?? said;
  if (inventory?.server !== undefined) {
    outcome.servers[inventory.server] = (outcome.servers[inventory.server] ?? 0) + 1;
    const seen = (outcome.peers[inventory.server] ??= {});
    seen[inventory.peer] = (seen[inventory.peer] ?? 0) + 1;
  } else if (outcome.samples.length < 3) {
    outcome.samples.push(`${status} ${body.slice(0, 200)}`);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function callSteadily() {
  totals.sent += 1;
  const { status } = await connections.get(steadyUrl);
  if (status === 200) totals.ok += 1;
}

serveControl((path, query) => {
  if (path === "/renew") connections.renew();
  if (path !== "/run") return { pid: process.pid, address: podAddress(), totals };
  connections.renew();
  return run(query.get("url") ?? steadyUrl, Number(query.get("count")), Number(query.get("concurrency")));
});
endOnSignal();
if (rate > 0) setInterval(callSteadily, 1000 / rate);
