// Just enough gRPC over node:http2 for one unary method: length-prefixed protobuf messages, and the status in trailers.
//   service ambit.demo.Pricing { rpc GetPrice(PriceRequest) returns (Price); }
//   message PriceRequest { string item = 1; }
//   message Price { uint32 cents = 1; }

export const METHOD = "/ambit.demo.Pricing/GetPrice";
export const CONTENT_TYPE = "application/grpc";

/** @param {Buffer} message one gRPC frame: not compressed, big-endian length, message. */
export function frame(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** @param {Buffer} bytes of one whole frame. */
export function unframe(bytes) {
  if (bytes.length < 5 || bytes.length < 5 + bytes.readUInt32BE(1)) throw new Error("the gRPC message is cut short");
  return bytes.subarray(5, 5 + bytes.readUInt32BE(1));
}

/** @param {string} item shorter than 128 bytes, so that its length is one byte. */
export function encodeRequest(item) {
  const text = Buffer.from(item);
  return Buffer.concat([Buffer.from([0x0a, text.length]), text]);
}

/** @param {Buffer} message */
export function decodeRequest(message) {
  return message[0] === 0x0a ? message.subarray(2, 2 + (message[1] ?? 0)).toString() : "";
}

/** @param {number} cents */
export function encodePrice(cents) {
  const bytes = [0x08];
  for (let rest = cents; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** @param {Buffer} message */
export function decodePrice(message) {
  let cents = 0;
  for (let at = 1; at < message.length; at += 1) cents |= ((message[at] ?? 0) & 0x7f) << (7 * (at - 1));
  return cents;
}
