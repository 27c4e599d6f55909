import type { Identities } from "../../model/identity.ts";
import type { LocalPodState } from "../../model/pod-state.ts";
import type { FetchedKeys } from "../../model/verification-key.ts";

/** What `compile` has to know beside the mesh. */
export interface CompileOptions {
  /** The node to compile for: a Kubernetes Node's name. */
  readonly node: string;
  readonly trustDomain: string;
  /** Value of the labels source_cluster and destination_cluster. */
  readonly cluster: string;
  /** Where Envoy reads the built-in filters' module: an absolute path that Envoy can open. */
  readonly filterModule: string;
  /** File for the access log, one JSON object a line; `/dev/stdout` works too. undefined: none is written. */
  readonly accessLog: string | undefined;
  /**
   * By UID: where each pod of this node stands on its way into the mesh and out of it. A pod that is missing here, or whose
   * state asks for no listeners, gets none.
   */
  readonly pods: ReadonlyMap<string, LocalPodState>;
  /** Key sets that have been fetched, by URL. Tokens whose keys are not here are rejected. Default none. */
  readonly fetchedKeys?: ReadonlyMap<string, FetchedKeys>;
  /** What the authority has given to this node; undefined: the mesh has none, and no mTLS. */
  readonly identities: Identities | undefined;
  /** UIDs of other nodes' pods that take mTLS, as their nodes report. */
  readonly remoteCaptured: ReadonlySet<string>;
  /** Policies in this namespace hold in the whole mesh. */
  readonly rootNamespace: string;
}
