/** A module that may use so many pages of memory (WebAssembly's binary format, memory section). */
export function withMemory(module: Buffer, pages: number): Buffer {
  const MEMORY = 5;
  const changed = Buffer.from(module);
  // After the magic number and the version: sections, each with its number and its size.
  for (let at = 8; at < module.length;) {
    const section = module[at];
    const [size, start] = number(module, at + 1);
    if (section === MEMORY) {
      // One memory, with a limit; its least pages; its most, in two bytes (8,192).
      const [, most] = number(module, start + 2);
      changed.writeUInt8((pages & 0x7f) | 0x80, most);
      changed.writeUInt8(pages >> 7, most + 1);
      return changed;
    }
    at = start + size;
  }
  throw new Error("the module has no memory of its own");
}

/** LEB128: the number, and where the next byte is. */
function number(bytes: Buffer, at: number): readonly [number, number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes.readUInt8(at++);
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) return [value, at];
  }
}
