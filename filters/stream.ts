import { Cluster, NO_CLUSTER } from "./cluster";
import { Peer, UNKNOWN } from "./peer";
import { Place } from "./places";
import { RequestRetries } from "./retry/retry";

/** The module's data about an HTTP request or a TCP connection, from its beginning to its end. */
export class Stream {
  id: u32 = 0;
  place: Place = Place.None;
  /** The next stream in the same slot of the table, or in the list of free ones. */
  next: Stream | null = null;
  /** Its neighbours among the connections that wait for their first byte (first-byte.ts). */
  earlier: Stream | null = null;
  later: Stream | null = null;

  source: Peer = UNKNOWN;
  /** The called pod. Inbound it is known at once; outbound only at the end, and the cluster before. */
  destination: Peer = UNKNOWN;
  cluster: Cluster = NO_CLUSTER;
  retries: RequestRetries | null = null;
  isGrpc: bool = false;

  /** When the filter saw its headers, or the connection began, ns since 1970; 0: it did not. */
  began: i64 = 0;
  /** Bytes of headers and body so far. */
  requestBytes: u64 = 0;
  /** Body. */
  responseBytes: u64 = 0;
  /** The last byte of the response's body has passed. */
  isAnswered: bool = false;

  clear(): void {
    this.source = UNKNOWN;
    this.destination = UNKNOWN;
    this.cluster = NO_CLUSTER;
    this.retries = null;
    this.isGrpc = false;
    this.began = 0;
    this.requestBytes = 0;
    this.responseBytes = 0;
    this.isAnswered = false;
  }
}

/**
 * The open streams, by the host's ID. The host counts IDs up, and objects are used again. So an array is enough, and a
 * request needs neither a map nor a garbage collector.
 */
class Streams {
  private slots: StaticArray<Stream | null> = new StaticArray<Stream | null>(1024);
  private free: Stream | null = null;
  private size: i32 = 0;

  add(id: u32, place: Place): void {
    if (this.size >= this.slots.length) this.grow();
    let stream = this.free;
    if (stream === null) stream = new Stream();
    else this.free = stream.next;
    stream.id = id;
    stream.place = place;
    this.link(stream);
    this.size++;
  }

  find(id: u32): Stream | null {
    let stream = this.slots[id & (this.slots.length - 1)];
    while (stream !== null && stream.id != id) stream = stream.next;
    return stream;
  }

  remove(stream: Stream): void {
    const slot = stream.id & (this.slots.length - 1);
    const first = this.slots[slot];
    if (first === stream) {
      this.slots[slot] = stream.next;
    } else {
      let before = first;
      while (before !== null && before.next !== stream) before = before.next;
      if (before === null) return;
      before.next = stream.next;
    }
    this.size--;
    stream.clear();
    stream.next = this.free;
    this.free = stream;
  }

  inPlaces(fits: (place: Place) => bool): Stream[] {
    const found = new Array<Stream>(0);
    for (let i = 0; i < this.slots.length; i++) {
      let stream = this.slots[i];
      while (stream !== null) {
        if (fits(stream.place)) found.push(stream);
        stream = stream.next;
      }
    }
    return found;
  }

  private link(stream: Stream): void {
    const slot = stream.id & (this.slots.length - 1);
    stream.next = this.slots[slot];
    this.slots[slot] = stream;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new StaticArray<Stream | null>(old.length << 1);
    for (let i = 0; i < old.length; i++) {
      let stream = old[i];
      while (stream !== null) {
        const next = stream.next;
        this.link(stream);
        stream = next;
      }
    }
  }
}

export const streams = new Streams();
