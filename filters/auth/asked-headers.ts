import { Pairs, scratch } from "../../assembly/index";
import { ByteMap } from "../byte-map";
import { Bytes } from "../bytes";
import { requestHeaders } from "../request-headers";

const COMMA: u8 = 0x2c;
const pairs = new Pairs();

/** A header that policies ask for, and what the current request has under that name. */
export class AskedHeader {
  /** Several headers of one name are joined by commas, as Envoy does. */
  readonly value: Bytes = new Bytes();
  private count: u32 = 0;
  private written: u32 = 0;
  private size: usize = 0;

  constructor(private readonly all: AskedHeaders) {}

  /** False: the request has no such header. */
  read(): bool {
    this.all.read();
    return this.count > 0;
  }

  get isJoined(): bool {
    return this.count > 1;
  }

  clear(): void {
    this.value.clear();
    this.count = 0;
    this.written = 0;
    this.size = 0;
  }

  note(start: usize, size: usize): void {
    this.size += size + 1;
    if (this.count++ == 0) this.value.at(start, size);
  }

  append(start: usize, size: usize): void {
    if (this.written++ == 0) this.value.at(scratch(this.size), 0);
    else store<u8>(this.value.start + this.value.size++, COMMA);
    memory.copy(this.value.start + this.value.size, start, size);
    this.value.size += size;
  }
}

/**
 * The headers that a destination's policies ask for. They are found in one walk over the request's headers, whatever the number
 * of policies, and each value is copied at most once: a stranger chooses how many headers a request has.
 */
export class AskedHeaders {
  private readonly byName: ByteMap<AskedHeader> = new ByteMap<AskedHeader>();
  private readonly list: AskedHeader[] = [];
  private isRead: bool = false;

  /** While the policies are prepared. */
  of(name: ArrayBuffer): AskedHeader {
    const known = this.byName.find(changetype<usize>(name), name.byteLength);
    if (known !== null) return known;
    const asked = new AskedHeader(this);
    this.byName.add(name, asked);
    this.list.push(asked);
    return asked;
  }

  /** A request begins. */
  forget(): void {
    this.isRead = false;
  }

  /** In the request's first callback. */
  read(): void {
    if (this.isRead) return;
    this.isRead = true;
    for (let i = 0; i < this.list.length; i++) this.list[i].clear();
    if (!requestHeaders.each(pairs)) return;
    let isAnyJoined = false;
    while (pairs.next()) {
      const asked = this.byName.find(pairs.keyStart, pairs.keySize);
      if (asked === null) continue;
      asked.note(pairs.valueStart, pairs.valueSize);
      if (asked.isJoined) isAnyJoined = true;
    }
    if (isAnyJoined) this.join();
  }

  private join(): void {
    requestHeaders.each(pairs);
    while (pairs.next()) {
      const asked = this.byName.find(pairs.keyStart, pairs.keySize);
      if (asked !== null && asked.isJoined) asked.append(pairs.valueStart, pairs.valueSize);
    }
  }
}
