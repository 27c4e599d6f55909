import * as env from "./env";
import { answerSize, answerStart, Key, OUT } from "./memory";
import { Pairs } from "./pairs";

export enum HeaderMapTypeValues {
  RequestHeaders,
  RequestTrailers,
  ResponseHeaders,
  ResponseTrailers,
}

/**
 * One of a stream's header maps. `get` returns "" for an absent header; `has` tells the difference. Keep values that you
 * read.
 */
export class HeaderStreamManipulator {
  readonly type: HeaderMapTypeValues;

  constructor(type: HeaderMapTypeValues) {
    this.type = type;
  }

  get(name: string): string {
    const value = this.find(new Key(name));
    return value === null ? "" : value;
  }

  /** The value of a header; null if there is none. */
  find(name: Key): string | null {
    return this.read(name) ? String.UTF8.decodeUnsafe(answerStart(), answerSize()) : null;
  }

  /** Asks for a header. True: it is there, and its value is at `answerStart`. */
  @inline read(name: Key): bool {
    return env.proxy_get_header_map_value(this.type, name.pointer, name.size, OUT, OUT + 4) == 0;
  }

  /** All headers by one host call; each header by name takes a call of its own. */
  all(list: Pairs): bool {
    if (env.proxy_get_header_map_pairs(this.type, OUT, OUT + 4) != 0 || answerSize() < 4) return false;
    list.begin(answerStart());
    return true;
  }

  add(name: string, value: string): void {
    const key = new Key(name);
    const bytes = String.UTF8.encode(value);
    env.proxy_add_header_map_value(this.type, key.pointer, key.size, changetype<usize>(bytes), bytes.byteLength);
  }

  replace(name: string, value: string): void {
    this.set(new Key(name), value);
  }

  /** Replaces the header, or adds it. */
  set(key: Key, value: string): void {
    const bytes = String.UTF8.encode(value);
    env.proxy_replace_header_map_value(this.type, key.pointer, key.size, changetype<usize>(bytes), bytes.byteLength);
  }

  /** The same with a value in UTF-8. */
  setBytes(key: Key, value: ArrayBuffer): void {
    this.setAt(key, changetype<usize>(value), value.byteLength);
  }

  /** The same with a value that is in memory already. */
  setAt(key: Key, start: usize, size: usize): void {
    env.proxy_replace_header_map_value(this.type, key.pointer, key.size, start, size);
  }

  remove(name: string): void {
    const key = new Key(name);
    this.removeAt(key.pointer, key.size);
  }

  /** All headers with a name that is in memory already. */
  removeAt(name: usize, size: usize): void {
    env.proxy_remove_header_map_value(this.type, name, size);
  }
}

class Headers {
  readonly request: HeaderStreamManipulator = new HeaderStreamManipulator(HeaderMapTypeValues.RequestHeaders);
  readonly response: HeaderStreamManipulator = new HeaderStreamManipulator(HeaderMapTypeValues.ResponseHeaders);
}

class Trailers {
  readonly response: HeaderStreamManipulator = new HeaderStreamManipulator(HeaderMapTypeValues.ResponseTrailers);
}

class StreamContext {
  readonly headers: Headers = new Headers();
  readonly trailers: Trailers = new Trailers();
}

/** The stream whose callback runs. */
export const stream_context: StreamContext = new StreamContext();
