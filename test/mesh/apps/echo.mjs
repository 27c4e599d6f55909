// HTTP on 8080, HTTP/2 on 8081: says who called and what was asked, and counts paths, and connections to 9000. TCP on 9000:
// echoes. All on IPv4 and IPv6.
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer } from "node:net";

const paths = new Map();
let accepted = 0;

function answer(request, response) {
  const url = request.url ?? "/";
  if (url === "/paths") return void response.end(JSON.stringify(Object.fromEntries(paths)));
  if (url === "/accepted") return void response.end(String(accepted));
  paths.set(url, (paths.get(url) ?? 0) + 1);
  let read = 0;
  request.on("data", (part) => (read += part.length));
  request.on("end", () => {
    const peer = (request.socket.remoteAddress ?? "").replace(/^::ffff:/u, "");
    response.end(JSON.stringify({ name: process.env["NAME"], peer, url, read, headers: request.rawHeaders }));
  });
}

// Longer than any test: a server that closes what is idle just when it is used again loses that request, mesh or not.
createServer({ keepAliveTimeout: 300_000, maxHeaderSize: 1 << 18 }, answer).listen(8080, "::");
createHttp2Server(answer).listen(8081, "::");

createTcpServer((socket) => {
  accepted++;
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
}).listen(9000, "::");
