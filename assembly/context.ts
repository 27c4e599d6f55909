import * as env from "./env";
import { answerSize, answerStart, Key, OUT } from "./memory";
import { propertyText } from "./properties";

export enum FilterHeadersStatusValues {
  Continue = 0,
  StopIteration = 1,
  StopAllIterationAndBuffer = 3,
  StopAllIterationAndWatermark = 4,
}

/** One stream: an HTTP request with its response, or a TCP connection. */
export class Context {
  readonly context_id: u32;
  readonly root_context: RootContext;

  constructor(context_id: u32, root_context: RootContext) {
    this.context_id = context_id;
    this.root_context = root_context;
  }

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue;
  }

  onResponseHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue;
  }

  onNewConnection(): void {}

  /** The stream is over, and its properties can still be read. */
  onLog(): void {}

  onDelete(): void {}
}

/** One configuration of the module, for example of a listener's filter. */
export class RootContext {
  readonly context_id: u32;

  constructor(context_id: u32) {
    this.context_id = context_id;
  }

  /** False rejects the configuration, and the last one stays in use. */
  onConfigure(configuration_size: u32): bool {
    return true;
  }

  createContext(context_id: u32): Context {
    return new Context(context_id, this);
  }

  /** Called at the interval that `set_tick_period_milliseconds` has set. */
  onTick(): void {}
}

/** The plugin's configuration as text; only in `onConfigure`. */
export function get_configuration(size: u32): string {
  return readConfiguration(size) ? String.UTF8.decodeUnsafe(answerStart(), answerSize()) : "";
}

/** Asks for the plugin's configuration; only in `onConfigure`. True: it is not empty, and its bytes are at `answerStart`. */
export function readConfiguration(size: u32): bool {
  return size > 0 && env.proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, size, OUT, OUT + 4) == 0;
}

const PLUGIN_CONFIGURATION: u32 = 7;
const ROOT_ID = new Key("plugin_root_id");

type RootFactory = (context_id: u32) => RootContext;
const factories = new Map<string, RootFactory>();
const roots = new Map<u32, RootContext>();
const streams = new Map<u32, Context>();

/** Registers the class that serves a root ID. */
export function registerRootContext(factory: RootFactory, root_id: string): void {
  factories.set(root_id, factory);
}

/**
 * Makes the contexts that the host asks for. An unknown root ID gets none, so that `configure` is false and Envoy
 * rejects it.
 */
export function createContext(id: u32, root: u32): void {
  if (root != 0) {
    if (roots.has(root)) streams.set(id, roots.get(root).createContext(id));
    return;
  }
  const rootId = propertyText(ROOT_ID);
  if (factories.has(rootId)) roots.set(id, factories.get(rootId)(id));
}

export function configure(id: u32, size: u32): bool {
  return roots.has(id) && roots.get(id).onConfigure(size);
}

export function tick(id: u32): void {
  if (roots.has(id)) roots.get(id).onTick();
}

export function stream(id: u32): Context | null {
  return streams.has(id) ? streams.get(id) : null;
}

export function deleteContext(id: u32): void {
  if (streams.has(id)) {
    streams.get(id).onDelete();
    streams.delete(id);
  } else {
    roots.delete(id);
  }
}
