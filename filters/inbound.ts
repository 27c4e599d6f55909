import {
  GrpcStatusValues,
  noteGarbage,
  nowNanoseconds,
  Pairs,
  PropertyList,
  send_local_response,
} from "../assembly/index";
import { authorize } from "./auth/authorize";
import { Guards } from "./auth/guards";
import { callers } from "./callers";
import { FilterConfig } from "./config";
import { ownDestination } from "./filter-state";
import { parts } from "./parts";
import { Peer, peerOf } from "./peer";
import { requestHeaders } from "./request-headers";
import { Stream } from "./stream";
import { Edge, edgeOf, Reporter } from "./telemetry/edges";
import { OUTCOME, outcome } from "./telemetry/http-report";
import { NO_SERVICE } from "./telemetry/labels";
import { reportConnection } from "./telemetry/tcp-report";

const list = new Pairs();

/** Calls that arrive at an enrolled pod. */
export class Inbound {
  private readonly cluster: string;
  private readonly guards: Guards;
  private readonly ended: PropertyList = new PropertyList("[" + OUTCOME + "]");

  constructor(config: FilterConfig) {
    this.cluster = config.cluster;
    this.guards = new Guards(config);
  }

  /** False: the module has answered the request. */
  begin(stream: Stream, endOfStream: bool): bool {
    const headers = requestHeaders.load();
    stream.source = callers.current.of(headers.source.start, headers.source.size);
    stream.destination = peerOf(headers.destination.start, headers.destination.size);
    if (parts.auth) {
      const guard = this.guards.ofPod(stream.destination.uidBytes);
      if (guard === null) return refuseUnknown();
      if (!guard.isOpen && !authorize(guard.set, stream.source, guard.port)) return false;
    }
    if (parts.telemetry) {
      stream.isGrpc = headers.isGrpc(endOfStream);
      stream.requestBytes = headers.size;
      stream.began = nowNanoseconds();
    }
    return true;
  }

  end(stream: Stream): void {
    if (!parts.telemetry) return;
    if (!outcome.isPlain(stream)) {
      if (this.ended.read(list)) outcome.takeFrom(list);
      else outcome.read();
      // Envoy answered the request before the filter saw its headers.
      if (stream.destination.id == 0) stream.destination = ownDestination();
    }
    outcome.report(edge(stream.source, stream.destination), stream.isGrpc, this.cluster);
  }

  /** A TCP connection has ended. */
  endConnection(): void {
    if (parts.telemetry) reportConnection(edge(callers.current.ofConnection(), ownDestination()), this.cluster);
  }
}

/**
 * Whether anything guards a pod that the configuration does not name cannot be known. As a rule the pod has just ended. So the
 * answer is one after which callers try another pod.
 */
function refuseUnknown(): bool {
  noteGarbage(1024);
  send_local_response(503, "ambit_unknown_destination", "unknown destination", GrpcStatusValues.Unavailable);
  return false;
}

function edge(source: Peer, destination: Peer): Edge {
  return edgeOf(Reporter.Destination, source, destination, NO_SERVICE);
}
