import { X509Certificate } from "node:crypto";
import type { NodeRecords } from "./node-records.ts";
import { generationName } from "./generation.ts";
import { splitPem } from "./pem.ts";
import type { RootRotation, RotationStatus } from "./root-rotation.ts";
import type { CertificateSigner } from "./signer.ts";

/** What an authority says of itself at `/status`. */
export interface AuthorityStatus {
  /** The generation that signs. */
  readonly signing: string;
  /** All that are trusted, the oldest first. */
  readonly roots: readonly { readonly generation: string; readonly notAfter: string }[];
  /** Absent where the roots are somebody else's files. */
  readonly rotation?: RotationStatus;
  /** Why the files that it should sign by cannot be used; it goes on with those before. */
  readonly trouble?: string;
  /** Nodes whose certificates may be in use. */
  readonly nodes: readonly AuthorityNode[];
}

export interface AuthorityNode {
  readonly node: string;
  /** Absent where this process has not heard of it yet. */
  readonly lastHeard?: string;
  /** When the last of its certificates ends, at the latest. */
  readonly validUntil: string;
  /** The generations of its certificates. */
  readonly generations: readonly string[];
}

export function authorityStatus(
  signer: CertificateSigner,
  records: NodeRecords,
  rotation: RootRotation | undefined,
  now: number,
): AuthorityStatus {
  const trouble = signer.trouble?.();
  return {
    signing: signer.generation(),
    roots: splitPem(signer.roots()).map((pem) => ({
      generation: generationName(pem),
      notAfter: new Date(new X509Certificate(pem).validTo).toISOString(),
    })),
    ...(rotation !== undefined && { rotation: rotation.status() }),
    ...(trouble !== undefined && { trouble }),
    nodes: [...records.inUse(now)].map(([node, { validUntil, generations }]) => {
      const at = records.heard().get(node);
      const lastHeard = at === undefined ? {} : { lastHeard: new Date(at).toISOString() };
      return { node, ...lastHeard, validUntil: new Date(validUntil).toISOString(), generations };
    }),
  };
}
