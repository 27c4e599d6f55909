import { newClusterMemory, type ClusterMemory } from "./clusters/cluster.ts";
import { newEndpointMemory, type EndpointMemory } from "./clusters/endpoints.ts";
import { newExtensionMemory, type ExtensionMemory } from "./filters/filter-extensions.ts";
import type { CheckMemory } from "./filters/part-check.ts";
import type { LimitMemory } from "./listeners/connection-limits.ts";
import { newListenerMemory, type ListenerMemory } from "./listeners/pod-listeners.ts";
import { newSecretMemory, type SecretMemory } from "./mtls/secrets.ts";
import { newViewMemory, type ViewMemory } from "./view/node-view.ts";

/**
 * The results that `compile` keeps from one call to the next, so that a small change costs little: results are used again while
 * their inputs are the same objects. With a new session the results are equal, except for the names of the filters'
 * plugins.
 */
export interface CompileSession {
  readonly view: ViewMemory;
  readonly clusters: ClusterMemory;
  readonly endpoints: EndpointMemory;
  readonly listeners: ListenerMemory;
  readonly limits: LimitMemory;
  readonly secrets: SecretMemory;
  readonly extensions: ExtensionMemory;
  readonly checks: CheckMemory;
}

/**
 * `began`: the time, in milliseconds since 1970; it distinguishes the plugins of this session (`newExtensionMemory`).
 */
export function newSession(began: number): CompileSession {
  return {
    view: newViewMemory(),
    clusters: newClusterMemory(),
    endpoints: newEndpointMemory(),
    listeners: newListenerMemory(),
    limits: { last: undefined },
    secrets: newSecretMemory(),
    extensions: newExtensionMemory(began),
    checks: { verdicts: new Map() },
  };
}
