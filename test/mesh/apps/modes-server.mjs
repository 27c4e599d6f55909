// modes-server.mjs FILE: HTTP on 8080 (says what it was told of the caller's certificate), an echo on 9000, and servers that
// speak first on 9001 and 9002. Adds a line to FILE for each connection that it accepts: the port, and whose it is.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

const noted = (socket) => {
  socket.on("error", () => socket.destroy());
  appendFileSync(process.argv[2], `${socket.localPort} ${(socket.remoteAddress ?? "").replace(/^::ffff:/u, "")}\n`);
};
createServer((request, response) => response.end(request.headers["x-forwarded-client-cert"] ?? "-"))
  .on("connection", noted)
  .listen(8080, "::");
createTcpServer((socket) => {
  noted(socket);
  socket.pipe(socket);
}).listen(9000, "::");
for (const port of [9001, 9002]) {
  createTcpServer((socket) => {
    noted(socket);
    socket.write("220 ready\n");
  }).listen(port, "::");
}
