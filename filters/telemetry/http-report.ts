import { Counter, Histogram, Key, property, propertyNumber, propertyText } from "../../assembly/index";
import { Peer } from "../peer";
import { CalledService, standardLabels } from "./labels";
import { counter, histogram } from "./metrics";

const CODE = Key.path(["response", "code"]);
const FLAGS = Key.path(["response", "flags"]);
const GRPC_STATUS = Key.path(["response", "grpc_status"]);
const DURATION = Key.path(["request", "duration"]);
const REQUEST_BYTES = Key.path(["request", "total_size"]);
const RESPONSE_BYTES = Key.path(["response", "total_size"]);

/** The metrics of one combination of labels. */
class HttpMetrics {
  readonly requests: Counter;
  readonly duration: Histogram;
  readonly requestBytes: Histogram;
  readonly responseBytes: Histogram;

  constructor(labels: string) {
    this.requests = counter("istio_requests_total" + labels);
    this.duration = histogram("istio_request_duration_milliseconds" + labels);
    this.requestBytes = histogram("istio_request_bytes" + labels);
    this.responseBytes = histogram("istio_response_bytes" + labels);
  }
}

/** The metrics of one edge by how its requests ended. */
class Edge {
  readonly outcomes: Map<u64, HttpMetrics> = new Map();
}

const edges = new Map<u64, Edge>();

/** Which edge: ids are counted up, and 21 bits hold more than a node meets in its life. */
function edgeOf(isSource: bool, source: Peer, destination: Peer, service: CalledService): Edge {
  const ends =
    (((<u64>source.id) & 0x1fffff) << 42) | (((<u64>destination.id) & 0x1fffff) << 21) | (service.id & 0x1fffff);
  const key = (ends << 1) | (isSource ? 1 : 0);
  if (edges.has(key)) return edges.get(key);
  const edge = new Edge();
  edges.set(key, edge);
  return edge;
}

/** Reports one finished request; its properties are read once, for both reporters. */
export class HttpReport {
  private readonly code: i64 = propertyNumber(CODE);
  private readonly flags: i64 = propertyNumber(FLAGS);
  private readonly milliseconds: u64 = <u64>max<i64>(0, propertyNumber(DURATION)) / 1_000_000;
  private readonly requestBytes: u64 = <u64>propertyNumber(REQUEST_BYTES);
  private readonly responseBytes: u64 = <u64>propertyNumber(RESPONSE_BYTES);
  private readonly grpcStatus: i64;

  constructor(private readonly isGrpc: bool) {
    const status = isGrpc ? property(GRPC_STATUS) : null;
    this.grpcStatus = status === null ? -1 : load<i64>(changetype<usize>(status));
  }

  by(isSource: bool, source: Peer, destination: Peer, service: CalledService, clusterName: string): void {
    const edge = edgeOf(isSource, source, destination, service);
    // Codes have 10 bits, flags 30, gRPC statuses 17 values and none.
    const outcome =
      (((<u64>this.flags) & 0x3fffffff) << 17) |
      (((<u64>this.code) & 0x3ff) << 7) |
      (((<u64>(this.grpcStatus + 1)) & 0x3f) << 1) |
      (this.isGrpc ? 1 : 0);
    let metrics: HttpMetrics;
    if (edge.outcomes.has(outcome)) {
      metrics = edge.outcomes.get(outcome);
    } else {
      metrics = new HttpMetrics(this.labels(isSource, source, destination, service, clusterName));
      edge.outcomes.set(outcome, metrics);
    }
    metrics.requests.increment();
    metrics.duration.record(this.milliseconds);
    metrics.requestBytes.record(this.requestBytes);
    metrics.responseBytes.record(this.responseBytes);
  }

  private labels(isSource: bool, source: Peer, destination: Peer, service: CalledService, clusterName: string): string {
    const reporter = isSource ? "source" : "destination";
    const called = service.id == 0 ? CalledService.of(destination) : service;
    return (
      standardLabels(reporter, source, destination, called, this.isGrpc ? "grpc" : "http", clusterName) +
      "|response_code=" +
      this.code.toString() +
      "|response_flags=" +
      flagsText(this.flags) +
      "|grpc_response_status=" +
      (this.grpcStatus < 0 ? "" : this.grpcStatus.toString())
    );
  }
}

// Envoy's ResponseFlag bits (envoy/stream_info/stream_info.h, CoreResponseFlag), by the short names of its access log.
const FLAG_NAMES = [
  "LH",
  "UH",
  "UT",
  "LR",
  "UR",
  "UF",
  "UC",
  "UO",
  "NR",
  "DI",
  "FI",
  "RL",
  "UAEX",
  "RLSE",
  "DC",
  "URX",
  "SI",
  "IH",
  "DPE",
  "UMSDR",
  "RFCF",
  "NFCF",
  "DT",
  "UPE",
  "NC",
  "OM",
  "DF",
  "DO",
  "DR",
];

function flagsText(flags: i64): string {
  if (flags == 0) return "-";
  let text = "";
  for (let bit = 0; bit < FLAG_NAMES.length; bit++) {
    if (((flags >> bit) & 1) != 0) text += (text.length > 0 ? "," : "") + FLAG_NAMES[bit];
  }
  return text.length == 0 ? "-" : text;
}
