import type { WantedIdentity } from "./wanted-identity.ts";

/** One identity of a node, with its certificate or the reason why it has none. */
export interface IdentityStatus {
  readonly spiffeId: string;
  readonly serial?: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly expired?: boolean;
  /** When the agent asks the authority next. */
  readonly nextRequest: string;
  /** Why there is no certificate yet. */
  readonly waiting?: string;
  /** Why the last request failed, while an earlier certificate is in use. */
  readonly lastError?: string;
}

export interface CertificateStatus {
  /** SHA-256 digests of the roots by which peers are verified. */
  readonly roots: readonly string[];
  /** Why the authority does not answer; absent while it does. */
  readonly authorityTrouble?: string;
  readonly identities: readonly IdentityStatus[];
}

export function identityStatus(entry: WantedIdentity, now: number): IdentityStatus {
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
