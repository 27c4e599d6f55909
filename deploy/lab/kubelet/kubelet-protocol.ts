import type { DnsService } from "../dns/dns-zone.ts";
import type { ProbeSpec } from "../pod-spec/probe-spec.ts";

/** Messages between the supervisor and a node's kubelet: JSON, one a line, on the kubelet's standard input and output. */

/** A readiness probe decides about traffic, a liveness probe about restarts. Both begin once a startup probe has succeeded. */
export type ProbeRole = "readiness" | "liveness" | "startup";

export interface ProbedContainer {
  /** `<pod UID>/<container>/<start>`: new with each start, so that an old result never counts for a new process. */
  readonly key: string;
  readonly role: ProbeRole;
  readonly address: string;
  readonly probe: ProbeSpec;
  /** Arguments of /bin/sh that run a command inside the container: append the command. */
  readonly join: readonly string[];
}

export type ToKubelet =
  | { readonly type: "probes"; readonly containers: readonly ProbedContainer[] }
  | { readonly type: "dns"; readonly services: readonly DnsService[] };

export type FromKubelet =
  /** The name server answers. */
  | { readonly type: "serving" }
  | { readonly type: "failed"; readonly message: string }
  | ({ readonly type: "probe"; readonly key: string; readonly role: ProbeRole } & ProbeResult);

export interface ProbeResult {
  /** True from `successThreshold` successes in a row to `failureThreshold` failures in a row. */
  readonly ok: boolean;
  /** `failureThreshold` failures in a row: a liveness or startup probe then restarts the container. */
  readonly exhausted: boolean;
  /** Why the last try failed; "" if it succeeded. */
  readonly message: string;
}
