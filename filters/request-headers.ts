import { answerStart, Key, Pairs, stream_context } from "../assembly/index";
import { areEqual, Bytes } from "./bytes";

const CONTENT_TYPE = new Key("content-type");
const METHOD = new Key(":method");
const PATH = new Key(":path");
const AUTHORITY = new Key(":authority");
/**
 * Headers that the node's own listeners set: the caller, the called pod, and the dialled address
 * (agent/compile/http/http-connection-manager.ts).
 */
const SOURCE = new Key("x-ambit-source");
const DESTINATION = new Key("x-ambit-destination");
const ORIGINAL_DST = new Key("x-ambit-original-dst");
const OURS = String.UTF8.encode("x-ambit-");
const GRPC = String.UTF8.encode("application/grpc");
const pairs = new Pairs();
/** Where the host has put the headers. */
let list: usize = 0;

function isOurs(): bool {
  const size = <usize>OURS.byteLength;
  return pairs.keySize > size && load<u64>(pairs.keyStart) == load<u64>(changetype<usize>(OURS));
}

/** The request's headers that the module needs, fetched by one host call. They are valid until the callback ends. */
class RequestHeaders {
  readonly path: Bytes = new Bytes();
  readonly method: Bytes = new Bytes();
  readonly host: Bytes = new Bytes();
  readonly source: Bytes = new Bytes();
  readonly destination: Bytes = new Bytes();
  readonly originalDst: Bytes = new Bytes();
  /** The bytes of all headers except those that never leave the proxy. */
  size: u64 = 0;
  private readonly contentType: Bytes = new Bytes();
  private isLoaded: bool = false;

  /** To be called in the request's first callback. */
  load(): RequestHeaders {
    this.path.clear();
    this.method.clear();
    this.host.clear();
    this.contentType.clear();
    this.source.clear();
    this.destination.clear();
    this.originalDst.clear();
    this.size = 0;
    this.isLoaded = stream_context.headers.request.all(pairs);
    if (!this.isLoaded) return this;
    list = answerStart();
    while (pairs.next()) {
      if (!isOurs()) this.size += pairs.keySize + pairs.valueSize;
      switch (<i32>pairs.keySize) {
        case 5:
          this.keep(PATH, this.path);
          break;
        case 7:
          this.keep(METHOD, this.method);
          break;
        case 10:
          this.keep(AUTHORITY, this.host);
          break;
        case 12:
          this.keep(CONTENT_TYPE, this.contentType);
          break;
        case 14:
          this.keep(SOURCE, this.source);
          break;
        case 19:
          this.keep(DESTINATION, this.destination);
          break;
        case 20:
          this.keep(ORIGINAL_DST, this.originalDst);
          break;
      }
    }
    return this;
  }

  /** All headers as they were when they were fetched; false if there are none. In the first callback only. */
  each(target: Pairs): bool {
    if (this.isLoaded) target.begin(list);
    return this.isLoaded;
  }

  /** Fetches the headers again after a filter has changed them. The size stays that of the original request. */
  reload(): void {
    const size = this.size;
    this.load();
    this.size = size;
  }

  private keep(name: Key, value: Bytes): void {
    // The first one counts, as it does when the host is asked for a header by name.
    if (value.size > 0 || !areEqual(name.pointer, pairs.keyStart, name.size)) return;
    value.at(pairs.valueStart, pairs.valueSize);
  }

  /** A gRPC request never ends with its headers ("gRPC over HTTP2": EOS comes with a DATA frame). */
  isGrpc(endOfStream: bool): bool {
    if (endOfStream) return false;
    const type = this.contentType;
    if (type.size < <usize>GRPC.byteLength) return false;
    return areEqual(changetype<usize>(GRPC), type.start, GRPC.byteLength);
  }
}

export const requestHeaders = new RequestHeaders();
