import { nowNanoseconds, Pairs, PropertyList } from "../assembly/index";
import { authorize } from "./auth/authorize";
import { Guards } from "./auth/guards";
import { Cluster, Clusters } from "./cluster";
import { FilterConfig } from "./config";
import { calledPeer, ownSource } from "./filter-state";
import { parts } from "./parts";
import { Peer, peerOf } from "./peer";
import { requestHeaders } from "./request-headers";
import { Budgets } from "./retry/budget";
import { allowRetries } from "./retry/retry";
import { Stream } from "./stream";
import { Edge, edgeOf, Reporter } from "./telemetry/edges";
import { OUTCOME, outcome } from "./telemetry/http-report";
import { reportConnection } from "./telemetry/tcp-report";

/** The same as `calledPeer`. */
const CALLED_PEER = "xds.upstream_host_metadata.filter_metadata.ambit.peer";
const list = new Pairs();

/** Calls of enrolled pods. If the destination is on this node, too, this pass handles both sides. */
export class Outbound {
  private readonly cluster: string;
  private readonly isGuarding: bool;
  private readonly clusters: Clusters;
  private readonly budgets: Budgets;
  private readonly ended: PropertyList = new PropertyList("[" + OUTCOME + ", " + CALLED_PEER + "]");

  constructor(
    config: FilterConfig,
    /** A route has chosen the cluster; otherwise the cluster's name is the dialled address. */
    private readonly isRouted: bool,
  ) {
    const guards = new Guards(config);
    this.cluster = config.cluster;
    this.isGuarding = parts.auth && !guards.areNone;
    this.clusters = new Clusters(guards);
    this.budgets = new Budgets(config);
  }

  /** False: the module has answered the request. */
  begin(stream: Stream, endOfStream: bool): bool {
    const headers = requestHeaders.load();
    // The listener writes the caller into a header. A property says the same and costs three times as much.
    stream.source = headers.source.size > 0 ? peerOf(headers.source.start, headers.source.size) : ownSource();
    if (!this.isRouted && headers.originalDst.size > 0) {
      stream.cluster = this.clusters.dialled(headers.originalDst.start, headers.originalDst.size);
    } else if (this.isGuarding) {
      stream.cluster = this.clusters.current();
    }
    const guard = stream.cluster.guard;
    if (this.isGuarding && guard !== null && !authorize(guard.set, stream.source, guard.port)) return false;
    if (parts.telemetry) {
      stream.isGrpc = headers.isGrpc(endOfStream);
      stream.requestBytes = headers.size;
      stream.began = nowNanoseconds();
    }
    // Only routes ask for retries.
    if (parts.retry && this.isRouted) stream.retries = allowRetries(this.budgets);
    return true;
  }

  end(stream: Stream): void {
    const retries = stream.retries;
    if (retries !== null) retries.settle();
    if (!parts.telemetry) return;
    const destination = this.readEnd(stream);
    if (stream.source.id == 0) stream.source = ownSource();
    if (stream.cluster.isNone) stream.cluster = this.clusters.current();
    outcome.report(edge(stream.source, destination, stream.cluster), stream.isGrpc, this.cluster);
  }

  /** Reads how the request ended, and where. */
  private readEnd(stream: Stream): Peer {
    if (outcome.isPlain(stream)) return calledPeer();
    if (!this.ended.read(list)) {
      outcome.read();
      return calledPeer();
    }
    outcome.takeFrom(list);
    list.next();
    return peerOf(list.keyStart, list.keySize);
  }

  /** A TCP connection has ended. */
  endConnection(): void {
    if (parts.telemetry) reportConnection(edge(ownSource(), calledPeer(), this.clusters.current()), this.cluster);
  }
}

/** If this pass also delivers the call, it reports the destination's side, too. */
function edge(source: Peer, destination: Peer, cluster: Cluster): Edge {
  return edgeOf(destination.near ? Reporter.Both : Reporter.Source, source, destination, cluster.calledService);
}
