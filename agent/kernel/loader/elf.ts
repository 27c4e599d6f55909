/** One section of an ELF file. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  /** Holds machine code. */
  readonly executable: boolean;
  readonly link: number;
  /** For relocations: the index of the section that they change. */
  readonly info: number;
  readonly data: Buffer;
}

export interface ElfSymbol {
  readonly name: string;
  readonly isFunction: boolean;
  /** Index of its section. */
  readonly section: number;
  readonly value: number;
  readonly size: number;
}

/** A place in a section that needs the address of a symbol. */
export interface ElfRelocation {
  readonly offset: number;
  readonly type: number;
  readonly symbol: ElfSymbol;
}

export interface ElfFile {
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  /** The relocations of the section with this index. */
  relocations(section: number): readonly ElfRelocation[];
}

const SHT_SYMTAB = 2;
const SHT_REL = 9;
const SHF_EXECINSTR = 4n;
const STT_FUNC = 2;
const EM_BPF = 247;

function stringAt(strings: Buffer, offset: number): string {
  return strings.toString("latin1", offset, strings.indexOf(0, offset));
}

function readSections(file: Buffer): readonly ElfSection[] {
  const offset = Number(file.readBigUInt64LE(40));
  const count = file.readUInt16LE(60);
  const headers = Array.from({ length: count }, (_, index) => file.subarray(offset + index * 64));
  const dataOf = (header: Buffer): Buffer => {
    const start = Number(header.readBigUInt64LE(24));
    return file.subarray(start, start + Number(header.readBigUInt64LE(32)));
  };
  const names = headers[file.readUInt16LE(62)];
  if (names === undefined) throw new Error("no section has the section names");
  return headers.map((header, index) => ({
    index,
    name: stringAt(dataOf(names), header.readUInt32LE(0)),
    type: header.readUInt32LE(4),
    executable: (header.readBigUInt64LE(8) & SHF_EXECINSTR) !== 0n,
    link: header.readUInt32LE(40),
    info: header.readUInt32LE(44),
    data: dataOf(header),
  }));
}

function readSymbols(sections: readonly ElfSection[]): readonly ElfSymbol[] {
  const table = sections.find((section) => section.type === SHT_SYMTAB);
  const strings = table && sections[table.link];
  if (table === undefined || strings === undefined) throw new Error("no symbol table");
  return Array.from({ length: Math.floor(table.data.length / 24) }, (_, index) => {
    const entry = table.data.subarray(index * 24);
    return {
      name: stringAt(strings.data, entry.readUInt32LE(0)),
      isFunction: (entry.readUInt8(4) & 15) === STT_FUNC,
      section: entry.readUInt16LE(6),
      value: Number(entry.readBigUInt64LE(8)),
      size: Number(entry.readBigUInt64LE(16)),
    };
  });
}

/** Reads a 64-bit little-endian ELF file of eBPF code. Throws `Error` if it is something else. */
export function readElf(file: Buffer): ElfFile {
  const isElf64 = file.length >= 64 && file.readUInt32BE(0) === 0x7f454c46 && file.readUInt16BE(4) === 0x0201;
  if (!isElf64 || file.readUInt16LE(18) !== EM_BPF) throw new Error("not a 64-bit little-endian eBPF object");
  const sections = readSections(file);
  const symbols = readSymbols(sections);
  const relocations = (index: number): readonly ElfRelocation[] => {
    const table = sections.find((section) => section.type === SHT_REL && section.info === index);
    if (table === undefined) return [];
    return Array.from({ length: table.data.length / 16 }, (_, entry) => {
      const at = table.data.subarray(entry * 16);
      const symbol = symbols[at.readUInt32LE(12)];
      if (symbol === undefined) throw new Error(`a relocation of section ${index} names no symbol`);
      return { offset: Number(at.readBigUInt64LE(0)), type: at.readUInt32LE(8), symbol };
    });
  };
  return { sections, symbols, relocations };
}
