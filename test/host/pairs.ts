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
