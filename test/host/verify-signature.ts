import { createPublicKey, verify } from "node:crypto";

/** Fields of a protobuf message that are bytes, by number. */
function fields(message: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < message.length;) {
    const tag = message[at++] ?? 0;
    if ((tag & 7) !== 2) throw new Error(`field ${tag >> 3} is not one of bytes`);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (at + size > message.length) throw new Error(`field ${tag >> 3} goes beyond the message`);
    found.set(tag >> 3, message.subarray(at, at + size));
    at += size;
  }
  return found;
}

/**
 * Envoy's foreign function: VerifySignatureArguments (hash_function = 1, public_key = 2 in DER, signature = 3, text = 4) to
 * VerifySignatureResult (result = 1). undefined where Envoy would answer BadArgument.
 */
export function verifySignature(message: Uint8Array): Buffer | undefined {
  const args = fields(Buffer.from(message));
  const [hash, der, signature, text] = [1, 2, 3, 4].map((number) => args.get(number) ?? Buffer.alloc(0));
  if (hash === undefined || der === undefined || signature === undefined || text === undefined) return undefined;
  try {
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    const holds = verify(hash.toString("utf8"), text, { key, dsaEncoding: "der" }, signature);
    // proto3 leaves out what is false.
    return holds ? Buffer.from([0x08, 0x01]) : Buffer.from([0x12, 0x01, 0x78]);
  } catch {
    return undefined;
  }
}
