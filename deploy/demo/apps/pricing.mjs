// Answers what an item costs, over gRPC.
import { createServer } from "node:http2";
import { endOnSignal } from "./control.mjs";
import { CONTENT_TYPE, METHOD, decodeRequest, encodePrice, frame, unframe } from "./grpc.mjs";

const UNIMPLEMENTED = 12;
const INVALID_ARGUMENT = 3;

const server = createServer();
server.on("stream", (stream, headers) => {
  const parts = [];
  stream.on("error", () => {});
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => {
    if (headers[":path"] !== METHOD) return refuse(stream, UNIMPLEMENTED, "no such method");
    try {
      answer(stream, priceOf(decodeRequest(unframe(Buffer.concat(parts)))));
    } catch (error) {
      refuse(stream, INVALID_ARGUMENT, error.message);
    }
  });
});

function answer(stream, cents) {
  stream.respond({ ":status": 200, "content-type": CONTENT_TYPE }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(frame(encodePrice(cents)));
}

/** gRPC's trailers-only answer, for calls that fail at once. */
function refuse(stream, status, message) {
  stream.respond(
    { ":status": 200, "content-type": CONTENT_TYPE, "grpc-status": String(status), "grpc-message": message },
    { endStream: true },
  );
}

function priceOf(item) {
  return [...item].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 10_000, 7) + 99;
}

endOnSignal();
server.listen(Number(process.env["PORT"] ?? 50051), "::");
