// Answers how many of an item are left. Fails one call in five with 503, counted per process, so that the share is exact.
import { createServer } from "node:http";
import { endOnSignal, podAddress, serveControl } from "./control.mjs";

const port = Number(process.env["PORT"] ?? 8080);

let failEvery = Number(process.env["FAIL_EVERY"] ?? 5);
let calls = 0;
const nothing = () => ({ total: 0, byPath: {}, byPeer: {}, byIdentity: {} });
/** Calls that reached this process, by path, by client address, and by the identity of their mTLS. */
let seen = nothing();

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://inventory");
  const peer = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  if (pathname === "/healthz") return void response.end("ok\n");
  const [, identity = "none"] = /URI=([^;,"]+)/.exec(request.headers["x-forwarded-client-cert"] ?? "") ?? [];
  count(pathname, peer, identity);
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

function count(path, peer, identity) {
  seen.total += 1;
  seen.byPath[path] = (seen.byPath[path] ?? 0) + 1;
  seen.byPeer[peer] = (seen.byPeer[peer] ?? 0) + 1;
  seen.byIdentity[identity] = (seen.byIdentity[identity] ?? 0) + 1;
}

serveControl((path, query) => {
  if (path === "/fail") failEvery = Number(query.get("every") ?? 5);
  if (path === "/forget") seen = nothing();
  return { pid: process.pid, failEvery, seen };
});
endOnSignal();
server.listen(port, "::");
