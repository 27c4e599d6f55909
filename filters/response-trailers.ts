import { Key, Pairs, stream_context } from "../assembly/index";
import { areEqual } from "./bytes";

const GRPC_STATUS = new Key("grpc-status");
/** The highest status of gRPC. Envoy decides about other values. */
const LAST_STATUS: i64 = 16;
const pairs = new Pairs();

/** The response's trailers, at the end of a request: with them a gRPC server ends its answer. */
class ResponseTrailers {
  /** -1 if the trailers have none. */
  grpcStatus: i64 = -1;
  size: u64 = 0;

  /** True if the trailers say how the call ended. */
  read(): bool {
    this.grpcStatus = -1;
    this.size = 0;
    if (!stream_context.trailers.response.all(pairs)) return false;
    while (pairs.next()) {
      this.size += pairs.keySize + pairs.valueSize;
      if (this.grpcStatus >= 0 || pairs.keySize != GRPC_STATUS.size) continue;
      if (areEqual(GRPC_STATUS.pointer, pairs.keyStart, GRPC_STATUS.size)) {
        this.grpcStatus = status(pairs.valueStart, pairs.valueSize);
      }
    }
    return this.grpcStatus >= 0;
  }
}

function status(start: usize, size: usize): i64 {
  if (size != 1 && size != 2) return -1;
  let value: i64 = 0;
  for (let i: usize = 0; i < size; i++) {
    const digit: i32 = <i32>load<u8>(start + i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= LAST_STATUS ? value : -1;
}

export const responseTrailers = new ResponseTrailers();
