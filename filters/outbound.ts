import { answerSize, answerStart, Key, Pairs, PropertyList, readProperty } from "../assembly/index";
import { authorize } from "./auth/authorize";
import { Guards } from "./auth/guards";
import { Cluster, Clusters } from "./cluster";
import { FilterConfig } from "./config";
import { ownSource } from "./filter-state";
import { parts } from "./parts";
import { Peer, peerOf, UNKNOWN } from "./peer";
import { requestHeaders } from "./request-headers";
import { Budgets } from "./retry/budget";
import { allowRetries } from "./retry/retry";
import { Stream } from "./stream";
import { Edge, edgeOf, Reporter } from "./telemetry/edges";
import { OUTCOME, outcome } from "./telemetry/http-report";
import { reportConnection } from "./telemetry/tcp-report";

const HOST_PEER = Key.path(["xds", "upstream_host_metadata", "filter_metadata", "ambit", "peer"]);
const HOST_PEER_IN_LIST = "xds.upstream_host_metadata.filter_metadata.ambit.peer";
const list = new Pairs();

/** What enrolled pods call: one pass is enough where the destination is on this node, too. */
export class Outbound {
  private readonly cluster: string;
  private readonly isGuarding: bool;
  private readonly clusters: Clusters;
  private readonly budgets: Budgets;
  /** At the end of a request: how it ended and where; and who asked whom, where its beginning did not have to find out. */
  private readonly ended: PropertyList = new PropertyList("[" + OUTCOME + ", " + HOST_PEER_IN_LIST + "]");
  private readonly all: PropertyList = new PropertyList(
    "[" + OUTCOME + ", " + HOST_PEER_IN_LIST + ", filter_state['ambit.source'], xds.cluster_name]",
  );

  constructor(config: FilterConfig) {
    const guards = new Guards(config);
    this.cluster = config.cluster;
    this.isGuarding = parts.auth && !guards.areNone;
    this.clusters = new Clusters(guards);
    this.budgets = new Budgets(config);
  }

  /** False: the request has been answered. */
  begin(stream: Stream, endOfStream: bool): bool {
    requestHeaders.begin();
    if (this.isGuarding) {
      stream.source = ownSource();
      stream.cluster = this.clusters.current();
      stream.areEndsKnown = true;
      const guard = stream.cluster.guard;
      if (guard !== null && !authorize(guard.set, stream.source, guard.port)) return false;
    }
    if (parts.telemetry) stream.isGrpc = requestHeaders.isGrpc(endOfStream);
    if (parts.retry) stream.retries = allowRetries(this.budgets);
    return true;
  }

  end(stream: Stream): void {
    const retries = stream.retries;
    if (retries !== null) retries.settle();
    if (parts.telemetry) outcome.report(this.edge(stream), stream.isGrpc, this.cluster);
  }

  /** Reads how the request ended, and between whom it was. */
  private edge(stream: Stream): Edge {
    let destination = UNKNOWN;
    if (stream.areEndsKnown ? this.ended.read(list) : this.all.read(list)) {
      outcome.takeFrom(list);
      list.next();
      destination = peerOf(list.keyStart, list.keySize);
      if (!stream.areEndsKnown) {
        list.next();
        stream.source = peerOf(list.keyStart, list.keySize);
        list.next();
        stream.cluster = this.clusters.of(list.keyStart, list.keySize);
      }
    } else {
      outcome.read();
      destination = calledPeer();
      if (!stream.areEndsKnown) {
        stream.source = ownSource();
        stream.cluster = this.clusters.current();
      }
    }
    return edge(stream.source, destination, stream.cluster);
  }

  /** A TCP connection has ended. */
  endConnection(): void {
    if (parts.telemetry) reportConnection(edge(ownSource(), calledPeer(), this.clusters.current()), this.cluster);
  }
}

function calledPeer(): Peer {
  return readProperty(HOST_PEER) ? peerOf(answerStart(), answerSize()) : UNKNOWN;
}

/** Where the destination is delivered in this same pass, its side of the call is reported here, too. */
function edge(source: Peer, destination: Peer, cluster: Cluster): Edge {
  return edgeOf(destination.near ? Reporter.Both : Reporter.Source, source, destination, cluster.calledService);
}
