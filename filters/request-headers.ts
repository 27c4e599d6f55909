import { answerSize, answerStart, Key, Pairs, stream_context } from "../assembly/index";
import { Bytes } from "./bytes";

const CONTENT_TYPE = new Key("content-type");
const METHOD = new Key(":method");
const PATH = new Key(":path");
const AUTHORITY = new Key(":authority");
const GRPC = String.UTF8.encode("application/grpc");
const pairs = new Pairs();

/** The request's headers that something here looks at, fetched by one call of the host. They stand until the callback ends. */
class RequestHeaders {
  readonly path: Bytes = new Bytes();
  readonly method: Bytes = new Bytes();
  readonly host: Bytes = new Bytes();
  private readonly contentType: Bytes = new Bytes();
  private isLoaded: bool = false;

  /** A request's headers are here; nothing is known of them yet. */
  begin(): void {
    this.isLoaded = false;
  }

  load(): RequestHeaders {
    if (this.isLoaded) return this;
    this.isLoaded = true;
    this.path.clear();
    this.method.clear();
    this.host.clear();
    this.contentType.clear();
    if (!stream_context.headers.request.all(pairs)) return this;
    while (pairs.next()) {
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
      }
    }
    return this;
  }

  private keep(name: Key, value: Bytes): void {
    // The first one counts, as it does where a header is asked for by name.
    if (value.size > 0 || memory.compare(name.pointer, pairs.keyStart, name.size) != 0) return;
    value.at(pairs.valueStart, pairs.valueSize);
  }

  /** A gRPC request never ends with its headers ("gRPC over HTTP2": EOS comes with a DATA frame). */
  isGrpc(endOfStream: bool): bool {
    if (endOfStream) return false;
    let start = this.contentType.start;
    let size = this.contentType.size;
    if (!this.isLoaded) {
      if (!stream_context.headers.request.read(CONTENT_TYPE)) return false;
      start = answerStart();
      size = answerSize();
    }
    return size >= <usize>GRPC.byteLength && memory.compare(changetype<usize>(GRPC), start, GRPC.byteLength) == 0;
  }
}

export const requestHeaders = new RequestHeaders();
