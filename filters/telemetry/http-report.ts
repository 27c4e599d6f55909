import {
  answerSize,
  answerStart,
  Key,
  nowNanoseconds,
  Pairs,
  propertyNumber,
  readProperty,
} from "../../assembly/index";
import { edgeSeries } from "./edge-series";
import { Edge } from "./edges";
import { flagsText, OTHER_FLAGS } from "./flags";
import { bucketOf, BYTES, FIGURES, Figure, MILLISECONDS } from "./figures";
import { responseHeaders } from "../response-headers";
import { responseTrailers } from "../response-trailers";
import { Stream } from "../stream";
import { classOf, codeText, countedCode } from "./response-code";

const CODE = Key.path(["response", "code"]);
const FLAGS = Key.path(["response", "flags"]);
const GRPC_STATUS = Key.path(["response", "grpc_status"]);
const DURATION = Key.path(["request", "duration"]);
const REQUEST_BYTES = Key.path(["request", "total_size"]);
const RESPONSE_BYTES = Key.path(["response", "total_size"]);

/** The properties that `takeFrom` takes, for the beginning of a list. */
export const OUTCOME = "response.code, response.flags, request.duration, request.total_size, response.total_size";

/** The statuses of gRPC end here. */
const LAST_GRPC_STATUS: i64 = 16;

/** The outcome of a request. One object is enough, because the module handles one request at a time. */
class Outcome {
  private code: i64 = 0;
  private flags: i64 = 0;
  private milliseconds: u64 = 0;
  private requestBytes: u64 = 0;
  private responseBytes: u64 = 0;
  private grpcStatus: i64 = -1;

  takeFrom(list: Pairs): void {
    this.code = list.nextNumber();
    this.flags = list.nextNumber();
    this.lasted(list.nextNumber());
    this.requestBytes = list.nextNumber();
    this.responseBytes = list.nextNumber();
  }

  /** Reads them one by one if one is unknown: a call that the caller gave up has no response code. */
  read(): void {
    this.code = propertyNumber(CODE);
    this.flags = propertyNumber(FLAGS);
    this.lasted(propertyNumber(DURATION));
    this.requestBytes = propertyNumber(REQUEST_BYTES);
    this.responseBytes = propertyNumber(RESPONSE_BYTES);
  }

  /**
   * Most requests end with a whole response and no error: then the callbacks have seen everything. False: the module has to ask
   * Envoy. Each request tries this first.
   */
  isPlain(stream: Stream): bool {
    this.grpcStatus = -1;
    if (stream.began == 0 || !responseHeaders.read()) return false;
    const hasTrailers = !stream.isAnswered && stream.isGrpc && responseTrailers.read();
    if (!stream.isAnswered && !hasTrailers && !responseHeaders.areAll) return false;
    this.code = responseHeaders.code;
    // Envoy sets response flags on its own answers.
    if (this.code < 200 || this.code >= 400) return false;
    this.flags = 0;
    this.lasted(nowNanoseconds() - stream.began);
    this.requestBytes = stream.requestBytes;
    this.responseBytes = stream.responseBytes + responseHeaders.size;
    if (hasTrailers) {
      this.responseBytes += responseTrailers.size;
      this.grpcStatus = responseTrailers.grpcStatus;
    }
    return true;
  }

  private lasted(nanoseconds: i64): void {
    this.milliseconds = <u64>max<i64>(0, nanoseconds) / 1_000_000;
  }

  /** Counts it on an edge. */
  report(edge: Edge, isGrpc: bool, clusterName: string): void {
    if (isGrpc && this.grpcStatus < 0 && readProperty(GRPC_STATUS) && answerSize() >= 8) {
      this.grpcStatus = load<i64>(answerStart());
    }
    this.code = countedCode(this.code);
    if (this.grpcStatus > LAST_GRPC_STATUS) this.grpcStatus = -1;
    let key = this.key(isGrpc);
    let series = edge.find(key);
    if (series === null && edge.hasManyOutcomes) {
      this.group();
      key = this.key(isGrpc);
      series = edge.find(key);
    }
    if (series === null) {
      const protocol = isGrpc ? "grpc" : "http";
      series = edge.add(key, edgeSeries(edge, "istio_http", protocol, clusterName, this.labels(), FIGURES));
    }
    series.add(Figure.Count, 1);
    series.add(Figure.Duration, this.milliseconds);
    series.add(Figure.RequestBytes, this.requestBytes);
    series.add(Figure.ResponseBytes, this.responseBytes);
    series.add(Figure.DurationBuckets + bucketOf(MILLISECONDS, this.milliseconds), 1);
    series.add(Figure.RequestBuckets + bucketOf(BYTES, this.requestBytes), 1);
    series.add(Figure.ResponseBuckets + bucketOf(BYTES, this.responseBytes), 1);
  }

  /** Codes have 10 bits, flags 30, gRPC statuses 17 values and none. */
  private key(isGrpc: bool): u64 {
    return (
      (((<u64>this.flags) & 0x3fffffff) << 17) |
      (((<u64>this.code) & 0x3ff) << 7) |
      (((<u64>(this.grpcStatus + 1)) & 0x3f) << 1) |
      (isGrpc ? 1 : 0)
    );
  }

  /** The outcome without its details. */
  private group(): void {
    this.code = classOf(this.code);
    if (this.flags != 0) this.flags = OTHER_FLAGS;
    this.grpcStatus = -1;
  }

  private labels(): string {
    return (
      "|response_code=" +
      codeText(this.code) +
      "|response_flags=" +
      flagsText(this.flags) +
      "|grpc_response_status=" +
      (this.grpcStatus < 0 ? "" : this.grpcStatus.toString())
    );
  }
}

export const outcome = new Outcome();
