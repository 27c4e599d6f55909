import * as env from "./env";
import { deserializeHeaders, Headers, serializeHeaders } from "./header-pairs";
import { Key } from "./key";
import { OUT, take, takeText } from "./memory";
import { HeaderMapTypeValues } from "./values";

/**
 * One of a stream's header maps. Request headers are there while the request passes and in `onLog`; in the response's
 * callbacks they are empty, so keep what you need.
 */
export class HeaderStreamManipulator {
  readonly typ: HeaderMapTypeValues;

  constructor(typ: HeaderMapTypeValues) {
    this.typ = typ;
  }

  /** The first value of a header; "" where there is none. */
  get(key: string): string {
    const value = this.find(new Key(key));
    return value === null ? "" : value;
  }

  /** The first value of a header; null where there is none. */
  find(key: Key): string | null {
    return this.ask(key) ? takeText() : null;
  }

  /** Asks for the first value and leaves it where the host writes answers: makes no garbage. */
  @inline
  ask(key: Key): bool {
    return env.proxy_get_header_map_value(this.typ, key.pointer, key.size, OUT, OUT + 4) == 0;
  }

  /** Adds a value, beside those that are there. */
  add(key: string, value: string): void {
    const name = new Key(key);
    const bytes = String.UTF8.encode(value);
    env.proxy_add_header_map_value(this.typ, name.pointer, name.size, changetype<usize>(bytes), bytes.byteLength);
  }

  /** Replaces the header; in Envoy adds it where there is none. */
  replace(key: string, value: string): void {
    this.set(new Key(key), value);
  }

  set(key: Key, value: string): void {
    this.setBytes(key, String.UTF8.encode(value));
  }

  setBytes(key: Key, value: ArrayBuffer): void {
    env.proxy_replace_header_map_value(this.typ, key.pointer, key.size, changetype<usize>(value), value.byteLength);
  }

  remove(key: string): void {
    const name = new Key(key);
    env.proxy_remove_header_map_value(this.typ, name.pointer, name.size);
  }

  get_headers(): Headers {
    const known = env.proxy_get_header_map_pairs(this.typ, OUT, OUT + 4) == 0;
    return known ? deserializeHeaders(take()) : [];
  }

  set_headers(headers: Headers): void {
    const bytes = serializeHeaders(headers);
    env.proxy_set_header_map_pairs(this.typ, changetype<usize>(bytes), bytes.byteLength);
  }
}

/** Headers or trailers, of each of the messages that a filter can see. */
export class HeaderMapManipulator {
  readonly request: HeaderStreamManipulator;
  readonly response: HeaderStreamManipulator;
  /** The answer to a call of `RootContext.httpCall`, in its callback. */
  readonly http_callback: HeaderStreamManipulator;

  constructor(request: HeaderMapTypeValues, response: HeaderMapTypeValues, httpCallback: HeaderMapTypeValues) {
    this.request = new HeaderStreamManipulator(request);
    this.response = new HeaderStreamManipulator(response);
    this.http_callback = new HeaderStreamManipulator(httpCallback);
  }
}

export class StreamContext {
  readonly headers: HeaderMapManipulator = new HeaderMapManipulator(
    HeaderMapTypeValues.RequestHeaders,
    HeaderMapTypeValues.ResponseHeaders,
    HeaderMapTypeValues.HttpCallResponseHeaders,
  );
  readonly trailers: HeaderMapManipulator = new HeaderMapManipulator(
    HeaderMapTypeValues.RequestTrailers,
    HeaderMapTypeValues.ResponseTrailers,
    HeaderMapTypeValues.HttpCallResponseTrailers,
  );
}

/** The stream whose callback runs. */
export const stream_context: StreamContext = new StreamContext();

export function get_header_map_size(typ: HeaderMapTypeValues): usize {
  return env.proxy_get_header_map_size(typ, OUT + 8) == 0 ? load<usize>(OUT, 8) : 0;
}
