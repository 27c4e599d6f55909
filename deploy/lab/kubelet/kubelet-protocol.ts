import type { DnsService } from "../dns/dns-zone.ts";
import type { ProbeSpec } from "../pod-spec/probe-spec.ts";

/** What the supervisor and a node's kubelet say to each other: JSON, one message a line, on the kubelet's standard input and output. */

/** What a probe decides: whether calls are led there, whether it is started anew, whether the other two begin. */
export type ProbeRole = "readiness" | "liveness" | "startup";

export interface ProbedContainer {
  /** `<pod UID>/<container>/<start>`: new with each start, so that an old result is not taken for a new one. */
  readonly key: string;
  readonly role: ProbeRole;
  readonly address: string;
  readonly probe: ProbeSpec;
  /** Arguments of /bin/sh that run what is appended inside the container. */
  readonly join: readonly string[];
}

export type ToKubelet =
  | { readonly type: "probes"; readonly containers: readonly ProbedContainer[] }
  | { readonly type: "dns"; readonly services: readonly DnsService[] };

export type FromKubelet =
  /** Its name server answers. */
  | { readonly type: "serving" }
  | { readonly type: "failed"; readonly message: string }
  | ({ readonly type: "probe"; readonly key: string; readonly role: ProbeRole } & ProbeResult);

export interface ProbeResult {
  /** It has succeeded as often in a row as it has to, and not failed as often since. */
  readonly ok: boolean;
  /** It has failed so often in a row that a liveness or startup probe ends the container. */
  readonly exhausted: boolean;
  /** Why it failed the last time; "" where it did not. */
  readonly message: string;
}
