import type { IncomingMessage } from "node:http";

/** A message's body; undefined if it has more than `maxBytes`. Then the rest is not read. */
export async function readBody(message: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
