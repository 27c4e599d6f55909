// How many of a thing are left. Fails one call in five with 503, counted per process, so that the share is exact.
import { createServer } from "node:http";
import { endOnSignal, podAddress, serveControl } from "./control.mjs";

const port = Number(process.env["PORT"] ?? 8080);

let failEvery = Number(process.env["FAIL_EVERY"] ?? 5);
let calls = 0;
/** Calls that reached this process, by path and by the address they came from. */
let seen = { total: 0, byPath: {}, byPeer: {} };

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://inventory");
  const peer = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  if (pathname === "/healthz") return void response.end("ok\n");
  count(pathname, peer);
  calls += 1;
  const fails = failEvery > 0 && calls % failEvery === 0;
  response.writeHead(fails ? 503 : 200, { "content-type": "application/json" });
  const answer = {
    server: podAddress(),
    pid: process.pid,
    peer,
    ...(fails ? { error: "busy" } : { left: calls % 40 }),
  };
  response.end(JSON.stringify(answer));
});

function count(path, peer) {
  seen.total += 1;
  seen.byPath[path] = (seen.byPath[path] ?? 0) + 1;
  seen.byPeer[peer] = (seen.byPeer[peer] ?? 0) + 1;
}

serveControl((path, query) => {
  if (path === "/fail") failEvery = Number(query.get("every") ?? 5);
  if (path === "/forget") seen = { total: 0, byPath: {}, byPeer: {} };
  return { pid: process.pid, failEvery, seen };
});
endOnSignal();
server.listen(port, "::");
