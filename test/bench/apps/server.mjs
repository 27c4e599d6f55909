// The application of the benchmark, as cheap as Node makes it. 8080: HTTP/1.1; 8081: HTTP/2 without TLS, gRPC among it;
// 9000: sends without end; 9001: one byte back for one byte, then closes. Each answer of HTTP is a 200 with 1 KB.
import { createServer as createHttp2Server } from "node:http2";
import { createServer } from "node:net";

const BODY = Buffer.alloc(1024, "ambit-bench-");
const ANSWER = Buffer.concat([
  Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\nx-app: bench\r\n\r\n`),
  BODY,
]);
const END = Buffer.from("\r\n\r\n");
const CHUNK = Buffer.alloc(256 * 1024);

// Requests have no body, so that each empty line ends one.
createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (data) => {
    for (let at = data.indexOf(END); at >= 0; at = data.indexOf(END, at + END.length)) socket.write(ANSWER);
  });
}).listen(8080, "::");

const http2 = createHttp2Server();
http2.on("stream", (stream, headers) => {
  stream.on("error", () => stream.destroy());
  stream.resume();
  if (!(headers["content-type"] ?? "").startsWith("application/grpc")) {
    stream.respond({ ":status": 200, "x-app": "bench" });
    stream.end(BODY);
    return;
  }
  stream.respond({ ":status": 200, "content-type": "application/grpc", "x-app": "bench" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  // A gRPC frame: not compressed, its length, and the message.
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(BODY.length, 1);
  stream.end(Buffer.concat([prefix, BODY]));
});
http2.listen(8081, "::");

createServer((socket) => {
  socket.on("error", () => socket.destroy());
  const send = () => {
    while (socket.write(CHUNK));
  };
  socket.on("drain", send);
  socket.once("data", send);
}).listen(9000, "::");

createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", (data) => socket.end(data));
}).listen(9001, "::");
