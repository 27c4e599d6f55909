// One pod that speaks what meshes have to carry: HTTP/1.1 with odd headers, trailers and WebSocket upgrades (8080),
// HTTP/2 with trailers as gRPC has them (8081), a protocol in which the server speaks first (9001).
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer } from "node:net";

const http = createServer((request, response) => {
  if (request.url === "/slow") return void setTimeout(() => response.end("late"), 1500);
  response.writeHead(200, { "X-MixedCase": "Kept", Trailer: "X-Sum" });
  response.write(JSON.stringify({ name: process.env["NAME"], headers: request.rawHeaders, url: request.url }));
  response.addTrailers({ "X-Sum": "42" });
  response.end();
});
http.on("upgrade", (_request, socket) => {
  socket.on("error", () => socket.destroy());
  socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  socket.pipe(socket);
});
http.listen(8080, "::");

const http2 = createHttp2Server();
http2.on("stream", (stream, headers) => {
  stream.respond(
    { ":status": 200, "content-type": headers["content-type"] ?? "text/plain" },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(`http2 ${headers[":path"]}`);
});
http2.listen(8081, "::");

createTcpServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.write("220 speak after me\n");
  socket.pipe(socket);
}).listen(9001, "::");
