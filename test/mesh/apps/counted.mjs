// HTTP on 8080, 8081 and 7000, on 9000 echoed bytes, and an end for "bye". Notes every connection and every request that does not come from the
// pod itself; `GET /seen` says which: { connections: { PORT: { ADDRESS: COUNT } }, requests: { "PORT URL": COUNT } }.
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

const seen = { connections: {}, requests: {} };
const plain = (address = "") => address.replace(/^::ffff:/u, "");
const isOwn = (address) => address === "127.0.0.1" || address === "::1";

function note(socket, port) {
  const address = plain(socket.remoteAddress);
  if (isOwn(address)) return;
  const ofPort = (seen.connections[port] ??= {});
  ofPort[address] = (ofPort[address] ?? 0) + 1;
}

for (const port of [8080, 8081, 7000]) {
  createServer((request, response) => {
    if (request.url === "/seen") return void response.end(JSON.stringify(seen));
    const peer = plain(request.socket.remoteAddress);
    const asked = `${port} ${request.url}`;
    if (!isOwn(peer) && port !== 8081) seen.requests[asked] = (seen.requests[asked] ?? 0) + 1;
    response.end(JSON.stringify({ name: process.env["NAME"], peer, headers: request.rawHeaders }));
  })
    .on("connection", (socket) => note(socket, port))
    .listen(port, "::");
}

createTcpServer((socket) => {
  socket.on("error", () => socket.destroy());
  note(socket, 9000);
  socket.on("data", (data) => (String(data) === "bye\n" ? socket.destroy() : socket.write(data)));
}).listen(9000, "::");
