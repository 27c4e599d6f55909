import { answerSize, answerStart, copyOf, Key, readProperty } from "../assembly/index";
import { Guard, Guards } from "./auth/guards";
import { ByteMap } from "./byte-map";
import { CalledService, NO_SERVICE, serviceOf } from "./telemetry/labels";
import { ticks } from "./ticks";

const CLUSTER_NAME = Key.path(["xds", "cluster_name"]);
const CLUSTER_SERVICE = Key.path(["xds", "cluster_metadata", "filter_metadata", "ambit", "service"]);

/** Where a call goes: found by the name of Envoy's cluster, which is cheaper to ask for than its metadata. */
export class Cluster {
  private service: CalledService = NO_SERVICE;
  private readAt: i64 = -1;
  /** When Envoy has last said that this is where a call goes. */
  wasChosenAt: i64 = -1;

  constructor(readonly guard: Guard | null) {}

  /** None is known, or was asked for. */
  get isNone(): bool {
    return this === NO_CLUSTER;
  }

  /** The Service behind it. Read again at times: an address may become another Service's. */
  get calledService(): CalledService {
    if (this.readAt != ticks.count) {
      this.readAt = ticks.count;
      this.service = readProperty(CLUSTER_SERVICE) ? serviceOf(answerStart(), answerSize()) : NO_SERVICE;
    }
    return this.service;
  }
}

export const NO_CLUSTER = new Cluster(null);
/** Clusters come and go with what is called; beyond this, they are made anew. */
const MAX = 10_000;

/** The clusters of one configuration. */
export class Clusters {
  private readonly known: ByteMap<Cluster> = new ByteMap<Cluster>();

  constructor(private readonly guards: Guards) {}

  /** The one that the stream's route has chosen. */
  current(): Cluster {
    return readProperty(CLUSTER_NAME) ? this.of(answerStart(), answerSize()) : NO_CLUSTER;
  }

  /**
   * The one of a stream whose route does not choose: it is named like the address that was dialled. Envoy's word is asked
   * for at times, as a request that had to wait for its cluster may find other routes than those it came with.
   */
  dialled(start: usize, size: usize): Cluster {
    const cluster = this.of(start, size);
    if (cluster.wasChosenAt == ticks.count) return cluster;
    const chosen = this.current();
    if (chosen === cluster) cluster.wasChosenAt = ticks.count;
    return chosen;
  }

  of(start: usize, size: usize): Cluster {
    const known = this.known.find(start, size);
    if (known !== null) return known;
    if (this.known.size >= MAX) this.known.clear();
    const cluster = new Cluster(this.guards.of(start, size));
    this.known.add(copyOf(start, size), cluster);
    return cluster;
  }
}
