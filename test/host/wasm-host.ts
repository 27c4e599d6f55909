import { readFileSync } from "node:fs";
import { HostMemory } from "./memory.ts";
import { evaluateList } from "./expressions.ts";
import { marshalPairs, unmarshalPairs } from "./pairs.ts";
import { SharedData } from "./shared-data.ts";
import { verifySignature } from "./verify-signature.ts";
import { Stream, type StreamFacts } from "./stream.ts";

/** WasmResult of the ABI: the ones that a host of ours answers. */
const RESULT = { ok: 0, notFound: 1, badArgument: 2, casMismatch: 8, internalFailure: 10 } as const;

type Callback = (...args: number[]) => number | undefined;

export interface Metric {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  value: number;
  readonly records: number[];
}

/**
 * A proxy-wasm 0.2.1 host in TypeScript: runs the very bytes that Envoy loads, one stream after the other or interleaved.
 * Time is `now` (milliseconds), which a test moves by hand.
 */
export class WasmHost {
  now = 1_000_000;
  readonly logs: string[] = [];
  /** The functions of the host that the module has called. */
  readonly calls: string[] = [];
  readonly metrics: Metric[] = [];
  /** Calls, returns and turns of loops within a module that tells of them (`wasm-opt --log-execution`). */
  steps = 0;
  readonly shared: SharedData;
  readonly memory: HostMemory;
  readonly #exports: Readonly<Record<string, Callback | undefined>>;
  #configuration = "";
  #current: Stream | undefined;
  readonly #open = new Map<number, Stream>();
  #next = 1;
  /** The newest root context for requests, and for connections. */
  readonly #roots = new Map<"http" | "tcp", number>();
  readonly #expressions: string[] = [];

  constructor(path: string, shared = new SharedData()) {
    this.shared = shared;
    const module = new WebAssembly.Module(readFileSync(path));
    const known: Readonly<Record<string, (...args: never[]) => number>> = {
      ...this.#imports(),
      log_execution: () => {
        this.steps++;
        return RESULT.ok;
      },
    };
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      if (from !== "env" || !(name in known)) throw new Error(`the host has no ${from}.${name}`);
    }
    const counted = Object.entries(known).map(([name, call]) => {
      const counting = (...args: never[]): number => {
        if (name !== "log_execution") this.calls.push(name);
        return call(...args);
      };
      return [name, counting] as const;
    });
    const { exports } = new WebAssembly.Instance(module, { env: Object.fromEntries(counted) });
    this.#exports = exports as Record<string, Callback>;
    this.memory = new HostMemory(
      exports["memory"] as WebAssembly.Memory,
      (size) => this.#exports["malloc"]?.(size) ?? 0,
    );
    this.#exports["_initialize"]?.();
  }

  /** Makes a root context, and configures it; false where the module rejects that. */
  configure(rootId: string, configuration: unknown): boolean {
    this.#configuration = typeof configuration === "string" ? configuration : JSON.stringify(configuration);
    const id = this.#next++;
    this.#roots.set(rootId.endsWith("-tcp") || ["guard", "first-byte"].includes(rootId) ? "tcp" : "http", id);
    this.#current = new Stream(id, { properties: { plugin_root_id: rootId } });
    this.#exports["proxy_on_context_create"]?.(id, 0);
    this.#exports["proxy_on_vm_start"]?.(id, 0);
    return this.#exports["proxy_on_configure"]?.(id, Buffer.byteLength(this.#configuration)) === 1;
  }

  /** Begins a stream: its request headers are shown to the filter. */
  request(facts: StreamFacts): Stream {
    const stream = this.#create("http", facts);
    this.#exports["proxy_on_request_headers"]?.(stream.id, stream.headers.length, facts.hasBody === true ? 0 : 1);
    return stream;
  }

  /** A request that was answered or reset before the filter saw its headers: Envoy only logs it. */
  unseen(facts: StreamFacts): Stream {
    return this.#create("http", facts);
  }

  /** A TCP connection; it ends like a request. */
  connection(facts: StreamFacts): Stream {
    const stream = this.#create("tcp", facts);
    this.#exports["proxy_on_new_connection"]?.(stream.id);
    return stream;
  }

  /** The application's whole response passes. */
  respond(stream: Stream, headers: Readonly<Record<string, string>>, ...chunks: readonly number[]): void {
    this.#current = stream;
    stream.responseHeaders = Object.entries(headers);
    for (const [i, size] of chunks.entries()) {
      this.#exports["proxy_on_response_body"]?.(stream.id, size, i === chunks.length - 1 ? 1 : 0);
    }
  }

  /** An answer that ends with trailers, as those of gRPC do: no byte of its body is known to be the last. */
  respondWithTrailers(
    stream: Stream,
    headers: Readonly<Record<string, string>>,
    trailers: Readonly<Record<string, string>>,
    ...chunks: readonly number[]
  ): void {
    this.#current = stream;
    stream.responseHeaders = Object.entries(headers);
    stream.responseTrailers = Object.entries(trailers);
    for (const size of chunks) this.#exports["proxy_on_response_body"]?.(stream.id, size, 0);
  }

  /** Bytes of the request's body pass. */
  send(stream: Stream, size: number): void {
    this.#current = stream;
    this.#exports["proxy_on_request_body"]?.(stream.id, size, 0);
  }

  /** A second has passed. */
  tick(): void {
    this.#exports["proxy_on_tick"]?.(this.#roots.get("http") ?? 0);
  }

  #create(kind: "http" | "tcp", facts: StreamFacts): Stream {
    const stream = new Stream(this.#next++, facts);
    this.#current = stream;
    this.#open.set(stream.id, stream);
    this.#exports["proxy_on_context_create"]?.(stream.id, this.#roots.get(kind) ?? 0);
    return stream;
  }

  /** Ends it, with what is known by then. */
  end(stream: Stream, properties: StreamFacts["properties"] = {}): void {
    stream.learn(properties);
    this.#current = stream;
    this.#exports["proxy_on_log"]?.(stream.id);
    this.#exports["proxy_on_done"]?.(stream.id);
    this.#exports["proxy_on_delete"]?.(stream.id);
    this.#open.delete(stream.id);
  }

  #imports(): Record<string, (...args: never[]) => number> {
    const text = (pointer: number, size: number): string => this.memory.text(pointer, size);
    const stream = (): Stream => {
      if (this.#current === undefined) throw new Error("no stream is running");
      return this.#current;
    };
    return {
      proxy_log: (_level: number, message: number, size: number) => {
        this.logs.push(text(message, size));
        return RESULT.ok;
      },
      proxy_get_current_time_nanoseconds: (result: number) => {
        this.memory.putU64(result, BigInt(this.now) * 1_000_000n);
        return RESULT.ok;
      },
      proxy_get_property: (path: number, pathSize: number, value: number, size: number) => {
        const found = stream().property(text(path, pathSize));
        return found === undefined ? RESULT.notFound : this.#answer(found, value, size);
      },
      proxy_set_property: (path: number, pathSize: number, value: number, size: number) => {
        stream().learn({ [text(path, pathSize)]: text(value, size) });
        return RESULT.ok;
      },
      proxy_set_tick_period_milliseconds: () => RESULT.ok,
      proxy_close_stream: () => {
        stream().isClosed = true;
        return RESULT.ok;
      },
      proxy_set_effective_context: (id: number) => {
        const found = this.#open.get(id);
        if (found === undefined) return RESULT.badArgument;
        this.#current = found;
        return RESULT.ok;
      },
      proxy_call_foreign_function: (
        name: number,
        nameSize: number,
        argument: number,
        argumentSize: number,
        result: number,
        size: number,
      ) => {
        const bytes = this.memory.bytes(argument, argumentSize);
        if (text(name, nameSize) === "verify_signature") {
          const verdict = verifySignature(bytes);
          return verdict === undefined ? RESULT.badArgument : this.#answer(verdict, result, size);
        }
        if (text(name, nameSize) === "expr_create") {
          const token = Buffer.alloc(4);
          token.writeUInt32LE(this.#expressions.push(Buffer.from(bytes).toString("utf8")) - 1);
          return this.#answer(token, result, size);
        }
        if (text(name, nameSize) !== "expr_evaluate") return RESULT.notFound;
        const list = evaluateList(this.#expressions[Buffer.from(bytes).readUInt32LE()] ?? "", stream());
        return list === undefined ? RESULT.internalFailure : this.#answer(list, result, size);
      },
      proxy_get_buffer_bytes: (_type: number, start: number, length: number, data: number, size: number) =>
        this.#answer(Buffer.from(this.#configuration).subarray(start, start + length), data, size),
      proxy_get_header_map_value: (_map: number, key: number, keySize: number, value: number, size: number) => {
        const found = stream().header(text(key, keySize));
        return found === undefined ? RESULT.notFound : this.#answer(Buffer.from(found), value, size);
      },
      proxy_get_header_map_pairs: (map: number, pairs: number, size: number) => {
        const { headers, responseHeaders, responseTrailers } = stream();
        // Request headers, response headers, response trailers.
        const pairsOf = map === 0 ? headers : map === 2 ? responseHeaders : responseTrailers;
        const bytes = pairsOf.map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const);
        return this.#answer(marshalPairs(bytes), pairs, size);
      },
      proxy_replace_header_map_value: (_map: number, key: number, keySize: number, value: number, size: number) => {
        stream().setHeader(text(key, keySize), text(value, size));
        return RESULT.ok;
      },
      proxy_remove_header_map_value: (_map: number, key: number, keySize: number) => {
        stream().removeHeader(text(key, keySize));
        return RESULT.ok;
      },
      proxy_send_local_response: (
        status: number,
        details: number,
        detailsSize: number,
        body: number,
        bodySize: number,
        headers: number,
        headersSize: number,
        grpcStatus: number,
      ) => {
        const answer = { status, details: text(details, detailsSize), body: text(body, bodySize), grpcStatus };
        const added = unmarshalPairs(this.memory.bytes(headers, headersSize));
        stream().answer = headersSize === 0 ? answer : { ...answer, headers: added };
        return RESULT.ok;
      },
      proxy_get_shared_data: (key: number, keySize: number, value: number, size: number, cas: number) => {
        const found = this.shared.get(text(key, keySize));
        if (found === undefined) return RESULT.notFound;
        this.memory.putU32(cas, found.cas);
        return this.#answer(found.bytes, value, size);
      },
      proxy_set_shared_data: (key: number, keySize: number, value: number, size: number, cas: number) =>
        this.shared.set(text(key, keySize), this.memory.bytes(value, size), cas) ? RESULT.ok : RESULT.casMismatch,
      proxy_define_metric: (type: number, name: number, size: number, id: number) => {
        const kind = (["counter", "gauge", "histogram"] as const)[type] ?? "counter";
        const wanted = text(name, size);
        const known = this.metrics.findIndex((metric) => metric.name === wanted);
        if (known < 0) this.metrics.push({ name: wanted, kind, value: 0, records: [] });
        this.memory.putU32(id, known < 0 ? this.metrics.length - 1 : known);
        return RESULT.ok;
      },
      proxy_increment_metric: (id: number, by: bigint) => {
        const metric = this.metrics[id];
        if (metric === undefined) return RESULT.notFound;
        metric.value += Number(by);
        return RESULT.ok;
      },
      proxy_record_metric: (id: number, value: bigint) => {
        this.metrics[id]?.records.push(Number(value));
        return RESULT.ok;
      },
    };
  }

  #answer(bytes: Uint8Array, pointer: number, size: number): number {
    this.memory.give(bytes, pointer, size);
    return RESULT.ok;
  }
}
