/** What a filter can learn of a stream. Numbers are given as Envoy gives them: 8 bytes, little endian. */
export interface StreamFacts {
  /** Pairs, where one name comes twice. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[];
  /** By path, its parts divided by "/", as in `filter_state/ambit.source`. */
  readonly properties?: Readonly<Record<string, string | number>>;
  /** The request does not end with its headers. */
  readonly hasBody?: boolean;
}

export interface LocalAnswer {
  readonly status: number;
  readonly details: string;
  readonly body: string;
  readonly grpcStatus: number;
  /** Beside those that Envoy adds. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class Stream {
  readonly id: number;
  readonly headers: [name: string, value: string][];
  responseHeaders: readonly (readonly [name: string, value: string])[] = [];
  responseTrailers: readonly (readonly [name: string, value: string])[] = [];
  /** Set where the filter answered in the application's place. */
  answer: LocalAnswer | undefined;
  /** The filter has closed the connection. */
  isClosed = false;
  readonly #properties = new Map<string, Uint8Array>();

  constructor(id: number, { headers = {}, properties = {} }: StreamFacts) {
    this.id = id;
    this.headers = (Symbol.iterator in headers ? [...headers] : Object.entries(headers)).map(([name, value]) => [
      name,
      value,
    ]);
    this.learn(properties);
  }

  learn(properties: StreamFacts["properties"] = {}): void {
    for (const [path, value] of Object.entries(properties)) {
      const bytes = typeof value === "string" ? Buffer.from(value) : Buffer.alloc(8);
      if (typeof value === "number") Buffer.from(bytes.buffer, bytes.byteOffset, 8).writeBigInt64LE(BigInt(value));
      this.#properties.set(path.replaceAll("/", "\0"), bytes);
    }
  }

  property(path: string): Uint8Array | undefined {
    return this.#properties.get(path);
  }

  header(name: string): string | undefined {
    return this.headers.find(([key]) => key === name)?.[1];
  }

  setHeader(name: string, value: string): void {
    const known = this.headers.find(([key]) => key === name);
    if (known === undefined) this.headers.push([name, value]);
    else known[1] = value;
  }

  removeHeader(name: string): void {
    this.headers.splice(0, this.headers.length, ...this.headers.filter(([key]) => key !== name));
  }
}
