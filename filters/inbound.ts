import { answerSize, answerStart, nowNanoseconds, Pairs, PropertyList } from "../assembly/index";
import { authorize } from "./auth/authorize";
import { Guards } from "./auth/guards";
import { ByteMap } from "./byte-map";
import { FilterConfig } from "./config";
import { ownDestination, ownSource, readSourceAddress } from "./filter-state";
import { parts } from "./parts";
import { Peer, peerOf, peerOfText, UNKNOWN } from "./peer";
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
  /** Enrolled workloads by address: who calls from another node, until certificates say so. */
  private readonly peers: ByteMap<Peer> = new ByteMap<Peer>();
  private readonly ended: PropertyList = new PropertyList("[" + OUTCOME + "]");
  private readonly all: PropertyList = new PropertyList(
    "[" + OUTCOME + ", filter_state['ambit.destination'], filter_state['ambit.peer_ip']]",
  );

  constructor(config: FilterConfig) {
    this.cluster = config.cluster;
    this.guards = new Guards(config);
    this.isGuarding = parts.auth && !this.guards.areNone;
    for (let i = 0; i < config.peers.length; i++) {
      this.peers.add(String.UTF8.encode(config.peers[i].address), peerOfText(config.peers[i].peer));
    }
  }

  /** False: the request has been answered. */
  begin(stream: Stream, endOfStream: bool): bool {
    const headers = requestHeaders.load();
    if (this.isGuarding) {
      stream.destination = ownDestination();
      stream.source = this.source();
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
      return stream.areEndsKnown ? edge(stream.source, stream.destination) : edge(this.source(), ownDestination());
    }
    if (stream.areEndsKnown) {
      if (this.ended.read(list)) outcome.takeFrom(list);
      else outcome.read();
      return edge(stream.source, stream.destination);
    }
    if (!this.all.read(list)) {
      outcome.read();
      return edge(this.source(), ownDestination());
    }
    outcome.takeFrom(list);
    list.next();
    const destination = peerOf(list.keyStart, list.keySize);
    list.next();
    return edge(this.sourceAt(list.keyStart, list.keySize), destination);
  }

  /** Through a listener of this node (a call that policy sent this way), or from an address that is known. */
  private source(): Peer {
    const own = ownSource();
    if (own.id != 0) return own;
    return readSourceAddress() ? this.peerAt(answerStart(), answerSize()) : UNKNOWN;
  }

  private sourceAt(address: usize, size: usize): Peer {
    const own = ownSource();
    return own.id != 0 ? own : this.peerAt(address, size);
  }

  private peerAt(address: usize, size: usize): Peer {
    const peer = this.peers.find(address, size);
    return peer === null ? UNKNOWN : peer;
  }

  /** A TCP connection has ended. */
  endConnection(): void {
    if (parts.telemetry) reportConnection(edge(this.source(), ownDestination()), this.cluster);
  }
}

function edge(source: Peer, destination: Peer): Edge {
  return edgeOf(Reporter.Destination, source, destination, NO_SERVICE);
}
