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

/** What arrives at an enrolled pod. */
export class Inbound {
  private readonly cluster: string;
  private readonly guards: Guards;
  private readonly isGuarding: bool;
  private readonly ended: PropertyList = new PropertyList("[" + OUTCOME + "]");
  private readonly all: PropertyList = new PropertyList("[" + OUTCOME + ", filter_state['ambit.destination']]");

  constructor(config: FilterConfig) {
    this.cluster = config.cluster;
    this.guards = new Guards(config);
    this.isGuarding = parts.auth && !this.guards.areNone;
  }

  /** False: the request has been answered. */
  begin(stream: Stream, endOfStream: bool): bool {
    const headers = requestHeaders.load();
    stream.source = callers.current.of(headers.source.start, headers.source.size);
    if (this.isGuarding) {
      stream.destination = ownDestination();
      stream.areEndsKnown = true;
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
    if (parts.telemetry) outcome.report(this.edge(stream), stream.isGrpc, this.cluster);
  }

  /** Reads how the request ended, and between whom it was. */
  private edge(stream: Stream): Edge {
    if (outcome.isPlain(stream)) {
      return stream.areEndsKnown ? edge(stream.source, stream.destination) : edge(stream.source, ownDestination());
    }
    if (stream.areEndsKnown) {
      if (this.ended.read(list)) outcome.takeFrom(list);
      else outcome.read();
      return edge(stream.source, stream.destination);
    }
    if (!this.all.read(list)) {
      outcome.read();
      return edge(stream.source, ownDestination());
    }
    outcome.takeFrom(list);
    list.next();
    return edge(stream.source, peerOf(list.keyStart, list.keySize));
  }

  /** A TCP connection has ended. */
  endConnection(): void {
    if (parts.telemetry) reportConnection(edge(callers.current.ofConnection(), ownDestination()), this.cluster);
  }
}

function edge(source: Peer, destination: Peer): Edge {
  return edgeOf(Reporter.Destination, source, destination, NO_SERVICE);
}
