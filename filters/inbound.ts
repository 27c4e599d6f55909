import { nowNanoseconds, Pairs, PropertyList } from "../assembly/index";
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
  private readonly isGuarding: bool;
  private readonly ended: PropertyList = new PropertyList("[" + OUTCOME + "]");

  constructor(config: FilterConfig) {
    this.cluster = config.cluster;
    this.guards = new Guards(config);
    this.isGuarding = parts.auth && !this.guards.areNone;
  }

  /** False: the module has answered the request. */
  begin(stream: Stream, endOfStream: bool): bool {
    const headers = requestHeaders.load();
    stream.source = callers.current.of(headers.source.start, headers.source.size);
    stream.destination = peerOf(headers.destination.start, headers.destination.size);
    if (this.isGuarding) {
      const guard = this.guards.ofKey(stream.destination.uidBytes);
      if (guard !== null && !authorize(guard.set, stream.source, guard.port)) return false;
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

function edge(source: Peer, destination: Peer): Edge {
  return edgeOf(Reporter.Destination, source, destination, NO_SERVICE);
}
