// The application of the soak. 8080: HTTP/1.1; 8081: HTTP/2 without TLS, gRPC among it; 9001: one byte back, then closes;
// 9002: echoes. On SIGTERM it serves on for a while, as applications under Kubernetes should: endpoints go first.
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer } from "node:net";

const LINGER_MS = 4_000;
const name = process.env["NAME"] ?? "";

const http = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  request.on("end", () => response.end(JSON.stringify({ name, url: request.url })));
});
http.listen(8080, "::");

const http2 = createHttp2Server();
http2.on("stream", (stream, headers) => {
  stream.on("error", () => stream.destroy());
  const isGrpc = (headers["content-type"] ?? "").startsWith("application/grpc");
  stream.resume();
  stream.on("end", () => {
    stream.respond(
      { ":status": 200, "content-type": isGrpc ? "application/grpc" : "text/plain", "x-name": name },
      { waitForTrailers: isGrpc },
    );
    if (isGrpc) stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end("soak");
  });
});
http2.listen(8081, "::");

createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", (data) => socket.end(data));
}).listen(9001, "::");

createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
}).listen(9002, "::");

process.on("SIGTERM", () => {
  // Idle connections are told to go once nobody is sent here any more; at once, one might be in use by then.
  setTimeout(() => http.closeIdleConnections(), LINGER_MS / 2);
  setTimeout(() => process.exit(0), LINGER_MS);
});
