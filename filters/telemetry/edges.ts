import { Peer } from "../peer";
import { CalledService } from "./labels";
import { Series } from "./series";
import { seriesBudget } from "./series-budget";

/** Which side reports a call: source, destination, or one pass for both. */
export enum Reporter {
  Source,
  Destination,
  Both,
}

/** The series of one edge, by the outcome of its calls. */
export class Edge {
  private readonly byOutcome: Map<u64, Series> = new Map();
  private lastOutcome: u64 = u64.MAX_VALUE;
  private last: Series | null = null;

  constructor(
    readonly reporter: Reporter,
    readonly source: Peer,
    readonly destination: Peer,
    /** If the Service is not known (inbound), Istio's proxies take the workload's canonical service. */
    readonly service: CalledService,
  ) {}

  find(outcome: u64): Series | null {
    // Most calls have the same outcome as the call before.
    if (outcome == this.lastOutcome) return this.last;
    if (!this.byOutcome.has(outcome)) return null;
    this.lastOutcome = outcome;
    this.last = this.byOutcome.get(outcome);
    return this.last;
  }

  /** Envoy's flags and the application's codes make outcomes. */
  get hasManyOutcomes(): bool {
    return <u32>this.byOutcome.size >= seriesBudget.limits.outcomes;
  }

  add(outcome: u64, series: Series): Series {
    this.byOutcome.set(outcome, series);
    return series;
  }

  get reporterName(): string {
    if (this.reporter == Reporter.Both) return "both";
    return this.reporter == Reporter.Source ? "source" : "destination";
  }
}

/** Enough for a node. When there are more, the module forgets all, and finds their series by name. Counts that Envoy does not have yet are not lost. */
const MAX = 10_000;
const edges = new Map<u64, Edge>();

/** IDs count up. 20 bits hold more than a node meets in its life. */
export function edgeOf(reporter: Reporter, source: Peer, destination: Peer, service: CalledService): Edge {
  const key =
    (((<u64>source.id) & 0xfffff) << 42) |
    (((<u64>destination.id) & 0xfffff) << 22) |
    (((<u64>service.id) & 0xfffff) << 2) |
    (<u64>reporter);
  if (edges.has(key)) return edges.get(key);
  if (edges.size >= MAX) edges.clear();
  const edge = new Edge(reporter, source, destination, service.id == 0 ? CalledService.of(destination) : service);
  edges.set(key, edge);
  return edge;
}
