import { answerSize, answerStart, copyOf, Key, readProperty } from "../assembly/index";
import { Guard, Guards } from "./auth/guards";
import { ByteMap } from "./byte-map";
import { CalledService, NO_SERVICE, serviceOf } from "./telemetry/labels";
import { ticks } from "./ticks";

const CLUSTER_NAME = Key.path(["xds", "cluster_name"]);
const CLUSTER_SERVICE = Key.path(["xds", "cluster_metadata", "filter_metadata", "ambit", "service"]);

/** The destination of a call, by the name of Envoy's cluster: the name is cheaper to ask for than the metadata. */
export class Cluster {
  private service: CalledService = NO_SERVICE;
  private readAt: i64 = -1;
  /** When Envoy last named this cluster for a call. */
  wasChosenAt: i64 = -1;

  constructor(readonly guard: Guard | null) {}

  /** No cluster is known, or none was asked for. */
  get isNone(): bool {
    return this === NO_CLUSTER;
  }

  /** The Service of the cluster. The module reads it again now and then, because an address may get another Service. */
  get calledService(): CalledService {
    if (this.readAt != ticks.count) {
      this.readAt = ticks.count;
      this.service = readProperty(CLUSTER_SERVICE) ? serviceOf(answerStart(), answerSize()) : NO_SERVICE;
    }
    return this.service;
  }
}

export const NO_CLUSTER = new Cluster(null);
/** Clusters come and go with the calls. When there are more than this, the module forgets all. */
const MAX = 10_000;

/** The clusters of one configuration. */
export class Clusters {
  private readonly known: ByteMap<Cluster> = new ByteMap<Cluster>();

  constructor(private readonly guards: Guards) {}

  /** The cluster that the stream's route has chosen. */
  current(): Cluster {
    return readProperty(CLUSTER_NAME) ? this.of(answerStart(), answerSize()) : NO_CLUSTER;
  }

  /**
   * The cluster of a stream whose route chooses none: its name is the dialled address. The module asks Envoy for the name
   * now and then, because the routes may change while a request waits for its cluster.
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
    const cluster = new Cluster(this.guards.ofCluster(start, size));
    this.known.add(copyOf(start, size), cluster);
    return cluster;
  }
}
