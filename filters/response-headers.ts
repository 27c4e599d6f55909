import { Key, Pairs, stream_context } from "../assembly/index";
import { areEqual } from "./bytes";

const STATUS = new Key(":status");
const LENGTH = new Key("content-length");
const pairs = new Pairs();

/** The response's headers, at the end of a request. */
class ResponseHeaders {
  /** 0 if there is none. */
  code: i64 = 0;
  size: u64 = 0;
  private saysEmpty: bool = false;

  read(): bool {
    this.code = 0;
    this.size = 0;
    this.saysEmpty = false;
    if (!stream_context.headers.response.all(pairs)) return false;
    while (pairs.next()) {
      this.size += pairs.keySize + pairs.valueSize;
      if (pairs.keySize == STATUS.size && pairs.valueSize == 3) {
        if (areEqual(STATUS.pointer, pairs.keyStart, STATUS.size)) this.code = threeDigits(pairs.valueStart);
      } else if (pairs.keySize == LENGTH.size && pairs.valueSize == 1 && load<u8>(pairs.valueStart) == 0x30) {
        if (areEqual(LENGTH.pointer, pairs.keyStart, LENGTH.size)) this.saysEmpty = true;
      }
    }
    return this.code > 0;
  }

  /** The headers are the whole response: no body can follow. */
  get areAll(): bool {
    return this.saysEmpty || this.code == 204 || this.code == 304;
  }
}

function threeDigits(at: usize): i64 {
  let value: i64 = 0;
  for (let i: usize = 0; i < 3; i++) {
    const digit: i32 = <i32>load<u8>(at + i) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}

export const responseHeaders = new ResponseHeaders();
