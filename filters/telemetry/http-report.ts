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

const known = new Map<string, HttpMetrics>();

/** Reports one finished request; its properties are read once, for both reporters. */
export class HttpReport {
  private readonly code: i64 = propertyNumber(CODE);
  private readonly flags: i64 = propertyNumber(FLAGS);
  private readonly milliseconds: u64 = <u64>max<i64>(0, propertyNumber(DURATION)) / 1_000_000;
  private readonly requestBytes: u64 = <u64>propertyNumber(REQUEST_BYTES);
  private readonly responseBytes: u64 = <u64>propertyNumber(RESPONSE_BYTES);
  private readonly grpcStatus: string;

  constructor(private readonly isGrpc: bool) {
    const status = isGrpc ? property(GRPC_STATUS) : null;
    this.grpcStatus = status === null ? "" : load<i64>(changetype<usize>(status)).toString();
  }

  by(reporter: string, source: Peer, destination: Peer, serviceText: string, clusterName: string): void {
    const key =
      reporter +
      "\n" +
      source.text +
      "\n" +
      destination.text +
      "\n" +
      serviceText +
      "\n" +
      this.code.toString() +
      "\n" +
      this.flags.toString() +
      "\n" +
      this.grpcStatus;
    let metrics: HttpMetrics;
    if (known.has(key)) {
      metrics = known.get(key);
    } else {
      const service = new CalledService(serviceText, destination);
      const protocol = this.isGrpc ? "grpc" : "http";
      metrics = new HttpMetrics(
        standardLabels(reporter, source, destination, service, protocol, clusterName) +
          "|response_code=" +
          this.code.toString() +
          "|response_flags=" +
          flagsText(this.flags) +
          "|grpc_response_status=" +
          this.grpcStatus,
      );
      known.set(key, metrics);
    }
    metrics.requests.increment();
    metrics.duration.record(this.milliseconds);
    metrics.requestBytes.record(this.requestBytes);
    metrics.responseBytes.record(this.responseBytes);
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
