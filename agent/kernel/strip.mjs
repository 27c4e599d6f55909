// Writes an eBPF object anew with only the parts that the loader reads: code with its relocations, maps, license, BTF, symbols.
// The rest (DWARF, line tables) is most of the file, and has paths of the machine that compiled it.

const SHT = { symtab: 2, strtab: 3, rel: 9 };
const EXECUTABLE = 4;
const ELF_HEADER = 64;
const SECTION_HEADER = 64;
const SYMBOL = 24;

function readSections(file) {
  const offset = Number(file.readBigUInt64LE(40));
  const names = file.readUInt16LE(62);
  const sections = Array.from({ length: file.readUInt16LE(60) }, (_, index) => {
    const header = file.subarray(offset + index * SECTION_HEADER, offset + (index + 1) * SECTION_HEADER);
    const start = Number(header.readBigUInt64LE(24));
    return {
      index,
      header: Buffer.from(header),
      type: header.readUInt32LE(4),
      flags: Number(header.readBigUInt64LE(8)),
      link: header.readUInt32LE(40),
      info: header.readUInt32LE(44),
      data: Buffer.from(file.subarray(start, start + Number(header.readBigUInt64LE(32)))),
    };
  });
  for (const section of sections) section.name = text(sections[names].data, section.header.readUInt32LE(0));
  return sections;
}

function text(strings, offset) {
  return strings.toString("latin1", offset, strings.indexOf(0, offset));
}

function isKept(section, sections) {
  if (section.index === 0 || section.type === SHT.symtab || section.type === SHT.strtab) return true;
  if (section.type === SHT.rel) return (sections[section.info].flags & EXECUTABLE) !== 0;
  if ([".maps", "license", ".BTF"].includes(section.name)) return true;
  return (section.flags & EXECUTABLE) !== 0 && section.data.length > 0;
}

/** Symbols of sections that go become absolute ones: their numbers must stay, relocations use them. */
function renumberSymbols(symtab, newIndex) {
  for (let at = 0; at < symtab.data.length; at += SYMBOL) {
    const section = symtab.data.readUInt16LE(at + 6);
    if (section === 0 || section >= 0xff00) continue;
    symtab.data.writeUInt16LE(newIndex.get(section) ?? 0xfff1, at + 6);
  }
}

/** The stripped object; the same input gives the same output. */
export function strip(file) {
  const all = readSections(file);
  const kept = all.filter((section) => isKept(section, all));
  const newIndex = new Map(kept.map((section, index) => [section.index, index]));
  for (const section of kept) if (section.type === SHT.symtab) renumberSymbols(section, newIndex);

  const parts = [Buffer.from(file.subarray(0, ELF_HEADER))];
  let offset = ELF_HEADER;
  for (const section of kept) {
    const padding = (8 - (offset % 8)) % 8;
    parts.push(Buffer.alloc(padding), section.data);
    section.header.writeBigUInt64LE(BigInt(section.index === 0 ? 0 : offset + padding), 24);
    section.header.writeUInt32LE(newIndex.get(section.link) ?? 0, 40);
    if (section.type === SHT.rel) section.header.writeUInt32LE(newIndex.get(section.info) ?? 0, 44);
    offset += padding + section.data.length;
  }
  const padding = (8 - (offset % 8)) % 8;
  parts.push(Buffer.alloc(padding), ...kept.map((section) => section.header));
  const [header] = parts;
  header.writeBigUInt64LE(BigInt(offset + padding), 40);
  header.writeUInt16LE(kept.length, 60);
  header.writeUInt16LE(newIndex.get(file.readUInt16LE(62)), 62);
  return Buffer.concat(parts);
}
