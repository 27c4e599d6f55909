/** BPF Type Format, as in the kernel's Documentation/bpf/btf.rst: the part that the loader needs to make maps. */
const HEADER_MAGIC = 0xeb9f;

const KIND = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  functionPrototype: 13,
  variable: 14,
  dataSection: 15,
  float: 16,
  declarationTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

/** Bytes that follow a type's 12, for each of its `vlen` members. */
const PER_MEMBER: Readonly<Record<number, number>> = {
  [KIND.struct]: 12,
  [KIND.union]: 12,
  [KIND.enum]: 8,
  [KIND.functionPrototype]: 8,
  [KIND.dataSection]: 12,
  [KIND.enum64]: 12,
};

/** Bytes that follow a type's 12, once. */
const ONCE: Readonly<Record<number, number>> = {
  [KIND.int]: 4,
  [KIND.array]: 12,
  [KIND.variable]: 4,
  [KIND.declarationTag]: 4,
};

export interface BtfType {
  readonly kind: number;
  readonly name: string;
  /** Size in bytes, or the number of another type, by kind. */
  readonly sizeOrType: number;
  readonly vlen: number;
  /** Where it starts in the section's bytes. */
  readonly offset: number;
}

/** How a map is declared: `MAP_NUMBER` members as numbers, key and value as the numbers and sizes of their types. */
export interface MapDeclaration {
  readonly name: string;
  readonly type: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly key: { readonly type: number; readonly size: number };
  readonly value: { readonly type: number; readonly size: number };
}

/** Reads a `.BTF` section, and writes into its bytes (`placeVariables`). Throws `Error` if it is malformed. */
export class Btf {
  readonly bytes: Buffer;
  readonly #types: readonly BtfType[];
  readonly #strings: number;

  constructor(bytes: Buffer) {
    if (bytes.length < 24 || bytes.readUInt16LE(0) !== HEADER_MAGIC) throw new Error("not a BTF section");
    this.bytes = bytes;
    const header = bytes.readUInt32LE(4);
    const start = header + bytes.readUInt32LE(8);
    const end = start + bytes.readUInt32LE(12);
    this.#strings = header + bytes.readUInt32LE(16);
    const types: BtfType[] = [{ kind: 0, name: "void", sizeOrType: 0, vlen: 0, offset: 0 }];
    for (let offset = start; offset < end;) {
      const info = bytes.readUInt32LE(offset + 4);
      const kind = (info >>> 24) & 31;
      const vlen = info & 0xffff;
      const name = this.#string(bytes.readUInt32LE(offset));
      types.push({ kind, name, sizeOrType: bytes.readUInt32LE(offset + 8), vlen, offset });
      offset += 12 + (PER_MEMBER[kind] ?? 0) * vlen + (ONCE[kind] ?? 0);
    }
    this.#types = types;
  }

  /** Does the part of the linker: fills in the size of each data section, and the offsets of its variables. */
  placeVariables(sizeOf: (section: string) => number, offsetOf: (variable: string) => number): void {
    for (const section of this.#types.filter((type) => type.kind === KIND.dataSection)) {
      this.bytes.writeUInt32LE(sizeOf(section.name), section.offset + 8);
      for (const { at, type } of this.#members(section)) {
        this.bytes.writeUInt32LE(offsetOf(this.#type(type).name), at + 4);
      }
    }
  }

  /** The maps that section `.maps` declares. */
  maps(): readonly MapDeclaration[] {
    const section = this.#types.find((type) => type.kind === KIND.dataSection && type.name === ".maps");
    if (section === undefined) return [];
    return this.#members(section).map(({ type }) => this.#map(this.#type(type)));
  }

  #map(variable: BtfType): MapDeclaration {
    const pointed = new Map<string, number>();
    for (const { at } of this.#members(this.#type(variable.sizeOrType))) {
      const pointer = this.#type(this.bytes.readUInt32LE(at + 4));
      pointed.set(this.#string(this.bytes.readUInt32LE(at)), pointer.sizeOrType);
    }
    const number = (member: string): number => {
      const array = pointed.get(member);
      return array === undefined ? 0 : this.bytes.readUInt32LE(this.#type(array).offset + 12 + 8);
    };
    const typed = (member: string): { type: number; size: number } => {
      const type = pointed.get(member);
      return type === undefined ? { type: 0, size: 0 } : { type, size: this.#size(type) };
    };
    return {
      name: variable.name,
      type: number("type"),
      maxEntries: number("max_entries"),
      flags: number("map_flags"),
      key: typed("key"),
      value: typed("value"),
    };
  }

  #size(id: number): number {
    const type = this.#type(id);
    switch (type.kind) {
      case KIND.int:
      case KIND.struct:
      case KIND.union:
      case KIND.enum:
      case KIND.enum64:
      case KIND.float:
        return type.sizeOrType;
      case KIND.pointer:
        return 8;
      case KIND.array:
        return this.#size(this.bytes.readUInt32LE(type.offset + 12)) * this.bytes.readUInt32LE(type.offset + 20);
      case KIND.typedef:
      case KIND.const:
      case KIND.volatile:
      case KIND.restrict:
      case KIND.typeTag:
        return this.#size(type.sizeOrType);
      default:
        throw new Error(`BTF type ${id} has no size`);
    }
  }

  #members(type: BtfType): readonly { readonly at: number; readonly type: number }[] {
    return Array.from({ length: type.vlen }, (_, index) => {
      const at = type.offset + 12 + index * 12;
      return { at, type: this.bytes.readUInt32LE(at) };
    });
  }

  #type(id: number): BtfType {
    const type = this.#types[id];
    if (type === undefined) throw new Error(`BTF type ${id} is missing`);
    return type;
  }

  #string(offset: number): string {
    const start = this.#strings + offset;
    return this.bytes.toString("latin1", start, this.bytes.indexOf(0, start));
  }
}
