import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Backoff } from "../../lib/backoff.ts";

/** A certificate that the node uses, with its key. */
export interface HeldCertificate {
  /** The certificate first, then the authorities between it and a root. */
  readonly chainPem: string;
  readonly keyPem: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly serial: string;
}

/** Reads a certificate from the authority's answer. Throws if it is for another identity or key: no proxy would take it. */
export function readCertificate(spiffeId: string, chainPem: string, keyPem: string): HeldCertificate {
  const leaf = new X509Certificate(chainPem);
  if (!leaf.checkPrivateKey(createPrivateKey(keyPem)) || leaf.subjectAltName !== `URI:${spiffeId}`) {
    throw new Error(
      `the authority's answer has a certificate for ${leaf.subjectAltName ?? "no identity"}, or for another key`,
    );
  }
  return {
    chainPem,
    keyPem,
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
    serial: leaf.serialNumber.toLowerCase(),
  };
}

/** At half of the time that is left, up to a tenth of that earlier or later: nodes that started together renew apart. */
export function renewalTime({ notAfter }: HeldCertificate, now: number, random: () => number): number {
  const half = (notAfter.getTime() - now) / 2;
  return now + Math.max(half * (0.9 + random() / 5), SOONEST_MS);
}

const SOONEST_MS = 1_000;

/** An identity that the node needs, and how far its certificate is. */
export interface WantedIdentity {
  readonly id: string;
  readonly backoff: Backoff;
  certificate: HeldCertificate | undefined;
  /** The generation of roots under which `certificate` was signed. */
  generation: string;
  /** When to ask the authority next, in milliseconds since 1970. */
  dueAt: number;
  /** A request is under way. */
  asking: boolean;
  /** Why the last request failed; undefined once one has succeeded. */
  lastError: string | undefined;
}
