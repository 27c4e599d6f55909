// HTTP on 8080: says who called and what was asked, and counts paths. TCP on 9000: echoes. Both on IPv4 and IPv6.
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

const paths = new Map();

createServer((request, response) => {
  const url = request.url ?? "/";
  if (url === "/paths") return void response.end(JSON.stringify(Object.fromEntries(paths)));
  paths.set(url, (paths.get(url) ?? 0) + 1);
  let read = 0;
  request.on("data", (part) => (read += part.length));
  request.on("end", () => {
    const peer = (request.socket.remoteAddress ?? "").replace(/^::ffff:/u, "");
    response.end(JSON.stringify({ name: process.env["NAME"], peer, url, read, headers: request.rawHeaders }));
  });
}).listen(8080, "::");

createTcpServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
}).listen(9000, "::");
