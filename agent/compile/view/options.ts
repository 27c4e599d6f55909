import type { CallerTimes } from "../../model/caller-times.ts";
import type { Identities } from "../../model/identity.ts";
import type { Limits } from "../../model/limits.ts";
import type { RemotePods } from "../../model/exchange.ts";
import type { LocalPodState } from "../../model/pod-state.ts";
import type { SeriesLimits } from "../../model/series-limits.ts";
import type { FetchedKeys } from "../../model/verification-key.ts";

/**
 * Asks the filters' own module about a configuration: why it refuses this text; undefined: it takes it. Whatever the text is, it
 * answers.
 */
export type FilterCheck = (configuration: string) => string | undefined;

/** What `compile` needs beside the mesh. */
export interface CompileOptions {
  /** The node to compile for: the name of a Kubernetes Node. */
  readonly node: string;
  readonly trustDomain: string;
  /** Value of the metric labels source_cluster and destination_cluster. */
  readonly cluster: string;
  /** Absolute path of the built-in filters' module, as Envoy opens it. */
  readonly filterModule: string;
  /** Default: the filters take everything. */
  readonly checkFilters?: FilterCheck;
  /** File for the access log, one JSON object a line, for example `/dev/stdout`; undefined: Envoy writes none. */
  readonly accessLog: string | undefined;
  /**
   * By UID: the state of each pod of this node on its way into the mesh and out of it, and its network namespace. A pod
   * that is missing here, or whose state asks for no listeners, gets none.
   */
  readonly pods: ReadonlyMap<string, LocalPodState>;
  /** Fetched key sets, by URL. Tokens whose keys are missing are rejected. Default none. */
  readonly fetchedKeys?: ReadonlyMap<string, FetchedKeys>;
  /** Certificates and roots from the authority; undefined: the mesh has no authority, and so no mTLS. */
  readonly identities: Identities | undefined;
  /** Other nodes' pods that take mTLS, as their nodes report. */
  readonly remoteCaptured: RemotePods;
  /** How many connections each listener of a pod takes at a time. Default `DEFAULT_POD_CONNECTIONS`. */
  readonly podConnections?: number;
  /** How long callers may take. Default `DEFAULT_CALLER_TIMES`. */
  readonly callerTimes?: CallerTimes;
  /** Default `DEFAULT_SERIES_LIMITS`. */
  readonly series?: SeriesLimits;
  /** Policies in this namespace apply to the whole mesh. */
  readonly rootNamespace: string;
  /** What the objects of one namespace may use. Default `DEFAULT_LIMITS`. */
  readonly limits?: Limits;
}
