import type { Entry } from "./workload-entry.ts";

/** One identity of a node: its certificate, or why there is none. */
export interface IdentityStatus {
  readonly spiffeId: string;
  readonly serial?: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly expired?: boolean;
  /** When the authority is asked next. */
  readonly nextRequest: string;
  /** Why there is no certificate yet. */
  readonly waiting?: string;
  /** Why the last request failed, where a certificate is in use in spite of it. */
  readonly lastError?: string;
}

export interface CertificateStatus {
  /** Digests (SHA-256) of the roots that peers are verified by. */
  readonly roots: readonly string[];
  /** Why the authority does not answer; absent while it does. */
  readonly authorityTrouble?: string;
  readonly identities: readonly IdentityStatus[];
}

export function identityStatus(entry: Entry, now: number): IdentityStatus {
  const { id: spiffeId, certificate, lastError } = entry;
  const nextRequest = new Date(Math.max(entry.dueAt, now)).toISOString();
  if (certificate === undefined) return { spiffeId, nextRequest, waiting: lastError ?? "the authority is being asked" };
  const { serial, notBefore, notAfter } = certificate;
  return {
    spiffeId,
    serial,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    ...(notAfter.getTime() <= now && { expired: true }),
    nextRequest,
    ...(lastError !== undefined && { lastError }),
  };
}
