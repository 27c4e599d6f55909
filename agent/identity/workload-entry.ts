import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Backoff } from "../lib/backoff.ts";

/** A certificate in use, with its key. */
export interface WorkloadCertificate {
  /** The certificate first, then the authorities between it and a root. */
  readonly chainPem: string;
  readonly keyPem: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly serial: string;
}

/** A certificate as just received. Throws where it is not what was asked for: no proxy would take it. */
export function readWorkloadCertificate(spiffeId: string, chainPem: string, keyPem: string): WorkloadCertificate {
  const leaf = new X509Certificate(chainPem);
  if (!leaf.checkPrivateKey(createPrivateKey(keyPem)) || leaf.subjectAltName !== `URI:${spiffeId}`) {
    throw new Error(`the authority's answer is for ${leaf.subjectAltName ?? "nobody"}, or for another key`);
  }
  return {
    chainPem,
    keyPem,
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
    serial: leaf.serialNumber.toLowerCase(),
  };
}

/** Half of what is left of its life, up to a tenth of that earlier or later: nodes that started together part their ways. */
export function renewalTime({ notAfter }: WorkloadCertificate, now: number, random: () => number): number {
  const half = (notAfter.getTime() - now) / 2;
  return now + Math.max(half * (0.9 + random() / 5), SOONEST_MS);
}

const SOONEST_MS = 1_000;

/** An identity that is wanted, and how far it has come. */
export interface Entry {
  readonly id: string;
  readonly backoff: Backoff;
  certificate: WorkloadCertificate | undefined;
  /** The root's generation that `certificate` is of. */
  generation: string;
  /** When to ask next, in milliseconds since 1970. */
  dueAt: number;
  /** A request is under way. */
  asking: boolean;
  /** Why the last request failed; undefined once one has succeeded. */
  lastError: string | undefined;
}
