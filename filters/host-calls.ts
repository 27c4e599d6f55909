// The functions that the host calls, for all three filters at once. They do not use the SDK's classes. Those have an object for
// each stream, a map, and a garbage collector, which costs a request some microseconds; a custom filter may well spend that.
import {
  answerSize,
  answerStart,
  closeDownstream,
  collectGarbage,
  FilterHeadersStatusValues,
  forgetAnswers,
  GrpcStatusValues,
  log,
  LogLevelValues,
  noteGarbage,
  readConfiguration,
  send_local_response,
  set_tick_period_milliseconds,
} from "../assembly/index";
import { ConnectionGuard } from "./auth/connections";
import { Callers, callers } from "./callers";
import { firstByte } from "./first-byte";
import { Inbound } from "./inbound";
import { Outbound } from "./outbound";
import { parts } from "./parts";
import { readConfig } from "./read-config";
import { addRoot, Place, placeOf } from "./places";
import { Stream, streams } from "./stream";
import { Series } from "./telemetry/series";
import { seriesBudget } from "./telemetry/series-budget";
import { TICK_MS, ticks } from "./ticks";

export { malloc } from "../assembly/memory";

/** The last good configuration of each place. A stream of an older root context uses the newest one, too. */
let outbound: Outbound | null = null;
let routed: Outbound | null = null;
let inbound: Inbound | null = null;
let outboundTcp: Outbound | null = null;
let inboundTcp: Inbound | null = null;
let guard: ConnectionGuard | null = null;

/** Bytes of garbage: from the first number on, the module collects when there is time; from the second on, at once. */
const LITTLE: usize = 65_536;
const MUCH: usize = 4 << 20;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_vm_start(root: u32, size: u32): u32 {
  return 1;
}

export function proxy_on_context_create(id: u32, root: u32): void {
  forgetAnswers();
  if (root == 0) addRoot(id);
  else streams.add(id, placeOf(root));
}

/** False rejects the configuration, and the last one stays in use. */
export function proxy_on_configure(root: u32, size: u32): u32 {
  forgetAnswers();
  const place = placeOf(root);
  if (place == Place.None) return 0;
  const read = readConfiguration(size) ? readConfig(answerStart(), answerSize()) : readConfig(0, 0);
  noteGarbage(size);
  const config = read.config;
  if (config === null) {
    log(LogLevelValues.error, "ambit: the filters' configuration is refused: " + read.error);
    return 0;
  }
  seriesBudget.limits = config.series;
  if (place == Place.Outbound) outbound = new Outbound(config, false);
  else if (place == Place.Routed) routed = new Outbound(config, true);
  else if (place == Place.Inbound) inbound = new Inbound(config);
  else if (place == Place.OutboundTcp) outboundTcp = new Outbound(config, true);
  else if (place == Place.InboundTcp) inboundTcp = new Inbound(config);
  else if (place == Place.FirstByte) firstByte.limit = <i64>config.firstByteMs * 1_000_000;
  else {
    callers.current = new Callers(config);
    guard = new ConnectionGuard(config);
  }
  set_tick_period_milliseconds(TICK_MS);
  return 1;
}

export function proxy_on_tick(root: u32): void {
  forgetAnswers();
  ticks.count++;
  Series.flush();
  if (guard !== null && parts.auth) guard!.review();
  firstByte.review();
  collectGarbage(LITTLE);
}

/** For TCP: 1 stops the filters that follow, so that none of them sees the connection. */
export function proxy_on_new_connection(id: u32): u32 {
  forgetAnswers();
  const stream = streams.find(id);
  if (stream !== null && stream.place == Place.FirstByte) {
    firstByte.begin(stream);
    return 0;
  }
  if (!parts.auth) return 0;
  if (stream !== null) {
    // These only report; the guard decides further on.
    if (stream.place == Place.OutboundTcp || stream.place == Place.InboundTcp) return 0;
    if (stream.place == Place.Guard && guard !== null && guard!.admits()) return 0;
  }
  closeDownstream();
  return 1;
}

export function proxy_on_request_headers(id: u32, headers: u32, end_of_stream: u32): u32 {
  forgetAnswers();
  const stream = streams.find(id);
  const passes = begin(stream, end_of_stream != 0);
  // Many requests may begin before one of them ends.
  collectGarbage(MUCH);
  return passes ? FilterHeadersStatusValues.Continue : FilterHeadersStatusValues.StopAllIterationAndBuffer;
}

function begin(stream: Stream | null, endOfStream: bool): bool {
  const place = stream === null ? Place.None : stream.place;
  if (place == Place.Outbound && outbound !== null) return outbound!.begin(stream!, endOfStream);
  if (place == Place.Routed && routed !== null) return routed!.begin(stream!, endOfStream);
  if (place == Place.Inbound && inbound !== null) return inbound!.begin(stream!, endOfStream);
  // Without a configuration the module cannot know which calls are allowed.
  send_local_response(503, "ambit_not_configured", "not configured", GrpcStatusValues.Unavailable);
  return false;
}

export function proxy_on_request_body(id: u32, size: u32, end_of_stream: u32): u32 {
  const stream = streams.find(id);
  if (stream !== null) stream.requestBytes += size;
  return 0;
}

export function proxy_on_response_body(id: u32, size: u32, end_of_stream: u32): u32 {
  const stream = streams.find(id);
  if (stream !== null) {
    stream.responseBytes += size;
    if (end_of_stream != 0) stream.isAnswered = true;
  }
  return 0;
}

/** The last callback of every stream, also of one that was reset or answered before: here the module forgets the stream. */
export function proxy_on_log(id: u32): void {
  forgetAnswers();
  const stream = streams.find(id);
  if (stream === null) return;
  end(stream);
  streams.remove(stream);
  collectGarbage(MUCH);
}

function end(stream: Stream): void {
  if (stream.place == Place.Outbound && outbound !== null) outbound!.end(stream);
  else if (stream.place == Place.Routed && routed !== null) routed!.end(stream);
  else if (stream.place == Place.Inbound && inbound !== null) inbound!.end(stream);
  else if (stream.place == Place.OutboundTcp && outboundTcp !== null) outboundTcp!.endConnection();
  else if (stream.place == Place.InboundTcp && inboundTcp !== null) inboundTcp!.endConnection();
  else if (stream.place == Place.FirstByte) firstByte.forget(stream);
}
