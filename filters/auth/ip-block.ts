/** An address as 16 bytes, IPv4 as ::ffff:a.b.c.d; null if the text is no address. */
export function parseAddress(text: string): StaticArray<u8> | null {
  const bytes = new StaticArray<u8>(16);
  if (text.indexOf(":") < 0) {
    bytes[10] = 0xff;
    bytes[11] = 0xff;
    return parseV4(text, bytes, 12) ? bytes : null;
  }
  const gap = text.indexOf("::");
  const head = groups(gap < 0 ? text : text.substring(0, gap));
  const tail = gap < 0 ? new Array<string>(0) : groups(text.substring(gap + 2));
  const headSize = write(head, bytes, 0, false);
  if (headSize < 0) return null;
  const tailSize = write(tail, bytes, 0, true);
  if (tailSize < 0 || headSize + tailSize > 16 || (gap < 0 && headSize != 16)) return null;
  for (let i = headSize; i < 16; i++) bytes[i] = 0;
  return write(tail, bytes, 16 - tailSize, false) < 0 ? null : bytes;
}

function groups(text: string): string[] {
  return text.length == 0 ? new Array<string>(0) : text.split(":");
}

/** Writes the groups of an IPv6 address at `at`. Returns the number of bytes, or -1. `dry`: only counts them. */
function write(list: string[], bytes: StaticArray<u8>, at: i32, dry: bool): i32 {
  let size = 0;
  for (let i = 0; i < list.length; i++) {
    if (at + size + 2 > 16) return -1;
    if (list[i].indexOf(".") >= 0) {
      if (i != list.length - 1 || at + size + 4 > 16) return -1;
      if (!dry && !parseV4(list[i], bytes, at + size)) return -1;
      size += 4;
      continue;
    }
    if (list[i].length == 0 || list[i].length > 4) return -1;
    const value = parseInt(list[i], 16);
    if (isNaN(value)) return -1;
    if (!dry) {
      bytes[at + size] = <u8>((<u32>value) >> 8);
      bytes[at + size + 1] = <u8>(<u32>value);
    }
    size += 2;
  }
  return size;
}

function parseV4(text: string, bytes: StaticArray<u8>, at: i32): bool {
  const parts = text.split(".");
  if (parts.length != 4) return false;
  for (let i = 0; i < 4; i++) {
    const value = parseInt(parts[i], 10);
    if (isNaN(value) || value < 0 || value > 255) return false;
    bytes[at + i] = <u8>value;
  }
  return true;
}

function isMapped(address: StaticArray<u8>): bool {
  for (let i = 0; i < 10; i++) if (address[i] != 0) return false;
  return address[10] == 0xff && address[11] == 0xff;
}

/** A CIDR block; a bare address is a block of its own. */
class IpBlock {
  /** null: the text is no block. */
  readonly network: StaticArray<u8> | null;
  /** Of the 16 bytes. */
  readonly bits: i32;
  private readonly isV4: bool;

  constructor(text: string) {
    const slash = text.indexOf("/");
    const address = slash < 0 ? text : text.substring(0, slash);
    this.isV4 = address.indexOf(":") < 0;
    const most = this.isV4 ? 32 : 128;
    const bits = slash < 0 ? most : prefixLength(text.substring(slash + 1));
    this.network = bits > most ? null : parseAddress(address);
    this.bits = this.network === null ? 0 : bits + (this.isV4 ? 96 : 0);
  }

  contains(address: StaticArray<u8>): bool {
    const network = this.network;
    // IPv4 addresses are in no block of IPv6 addresses, not even in ::/0.
    if (network === null || this.isV4 != isMapped(address)) return false;
    const whole = this.bits >> 3;
    for (let i = 0; i < whole; i++) if (network[i] != address[i]) return false;
    const rest = this.bits & 7;
    if (rest == 0) return true;
    const mask: u8 = <u8>((<i32>0xff) << (8 - rest));
    return (network[whole] & mask) == (address[whole] & mask);
  }
}

/** More than any address has if the text is no number. */
function prefixLength(text: string): i32 {
  if (text.length == 0 || text.length > 3) return i32.MAX_VALUE;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return i32.MAX_VALUE;
    value = value * 10 + digit;
  }
  return value;
}

/** A condition's pair of lists about an address. */
export class IpBlocks {
  private readonly wanted: IpBlock[];
  private readonly unwanted: IpBlock[];

  constructor(wanted: string[], unwanted: string[]) {
    this.wanted = wanted.map<IpBlock>((text) => new IpBlock(text));
    this.unwanted = unwanted.map<IpBlock>((text) => new IpBlock(text));
  }

  /** False: one of them is no block, and what the condition means is not known. */
  get areReadable(): bool {
    return areReadable(this.wanted) && areReadable(this.unwanted);
  }

  holds(address: StaticArray<u8> | null): bool {
    if (this.wanted.length > 0 && !containsAny(this.wanted, address)) return false;
    return !containsAny(this.unwanted, address);
  }
}

function areReadable(blocks: IpBlock[]): bool {
  for (let i = 0; i < blocks.length; i++) if (blocks[i].network === null) return false;
  return true;
}

function containsAny(blocks: IpBlock[], address: StaticArray<u8> | null): bool {
  if (address === null) return false;
  for (let i = 0; i < blocks.length; i++) if (blocks[i].contains(address)) return true;
  return false;
}
