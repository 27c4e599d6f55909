import type { Identities } from "../model/identity.ts";
import type { FetchedKeys } from "../model/verification-key.ts";

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
   * UIDs of pods that have left the mesh and live on: their listeners stay for the connections that are open, though nothing
   * new is captured. Default none.
   */
  readonly leaving?: ReadonlySet<string>;
  /** Key sets that have been fetched, by URL. Tokens whose keys are not here are rejected. Default none. */
  readonly fetchedKeys?: ReadonlyMap<string, FetchedKeys>;
  /** What the authority has given to this node; undefined: the mesh has none, and no mTLS. */
  readonly identities: Identities | undefined;
  /** UIDs of pods, on any node, whose node has reported that it takes mTLS for them. */
  readonly captured: ReadonlySet<string>;
  /** UIDs of this node's pods that all nodes go by as captured: only those are STRICT, and `closed`. Default all. */
  readonly followed?: ReadonlySet<string>;
  /**
   * UIDs of this node's pods that have waited for their certificate for more than a moment: they are captured meanwhile, but
   * only what comes to them. Default none.
   */
  readonly guarded?: ReadonlySet<string>;
  /** UIDs of this node's pods that have waited for so long that STRICT holds for them, whoever still speaks plaintext. */
  readonly closed?: ReadonlySet<string>;
  /** UIDs of this node's pods whose certificate the proxy has from an agent before this one. Default none. */
  readonly certified?: ReadonlySet<string>;
  /** Policies in this namespace hold in the whole mesh. */
  readonly rootNamespace: string;
}
