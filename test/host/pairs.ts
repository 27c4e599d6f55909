/** Pairs as the ABI has them: how many, the sizes of each, then the bytes, with a NUL behind each. */
export function marshalPairs(pairs: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Buffer {
  const sizes = Buffer.alloc(4 + 8 * pairs.length);
  sizes.writeUInt32LE(pairs.length);
  for (const [i, [key, value]] of pairs.entries()) {
    sizes.writeUInt32LE(key.length, 4 + 8 * i);
    sizes.writeUInt32LE(value.length, 8 + 8 * i);
  }
  const nul = Buffer.alloc(1);
  return Buffer.concat([sizes, ...pairs.flatMap(([key, value]) => [key, nul, value, nul])]);
}

/** The same the other way round, as text. */
export function unmarshalPairs(bytes: Uint8Array): Readonly<Record<string, string>> {
  const buffer = Buffer.from(bytes);
  const count = buffer.length < 4 ? 0 : buffer.readUInt32LE(0);
  let at = 4 + 8 * count;
  const next = (size: number): string => {
    const text = buffer.toString("utf8", at, at + size);
    at += size + 1;
    return text;
  };
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      next(buffer.readUInt32LE(4 + 8 * i)),
      next(buffer.readUInt32LE(8 + 8 * i)),
    ]),
  );
}
