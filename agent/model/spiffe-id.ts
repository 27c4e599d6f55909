import type { Workload } from "./workload.ts";

/** A workload's identity as a principal of Istio policies: `trust-domain/ns/namespace/sa/service-account`, without `spiffe://`. */
export function principal(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** The same as the URI that certificates carry (SPIFFE-ID, section 2). */
export function spiffeIdOf(trustDomain: string, { meta, serviceAccount }: Workload): string {
  return `spiffe://${principal(trustDomain, meta.namespace, serviceAccount)}`;
}
