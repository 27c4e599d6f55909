import type { NodeReport, SignAnswer, SignRequest, Trust } from "./protocol.ts";

/** Where a node's certificates come from: the authority, by way of `AuthorityClient`. Both reject with why not. */
export interface CertificateSource {
  sign(request: SignRequest, signal: AbortSignal): Promise<SignAnswer>;
  /** Resolves when `report` is out of date, or after a while; at once if it asks for that. */
  watch(report: NodeReport, signal: AbortSignal): Promise<Trust>;
}
