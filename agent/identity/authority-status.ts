import { X509Certificate } from "node:crypto";
import type { ExchangeNode } from "./authority/exchange-log.ts";
import type { ExchangeService } from "./authority/exchange-service.ts";
import type { Position } from "./protocol.ts";
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
  /** The newest state of what nodes tell each other. */
  readonly exchange: Position;
  /** Nodes whose certificates may be in use, and nodes whose agents are here. */
  readonly nodes: readonly AuthorityNode[];
}

export interface AuthorityNode {
  readonly node: string;
  /** Absent where this process has not heard of it yet. */
  readonly lastHeard?: string;
  /** When the last of its certificates ends, at the latest; absent where it has none that is valid. */
  readonly validUntil?: string;
  /** The generations of its certificates. */
  readonly generations: readonly string[];
  /** Its part in the exchange with other nodes. */
  readonly exchange: ExchangeNode;
}

export function authorityStatus(
  signer: CertificateSigner,
  records: NodeRecords,
  rotation: RootRotation | undefined,
  exchange: ExchangeService,
  now: number,
): AuthorityStatus {
  const trouble = signer.trouble?.();
  const inUse = records.inUse(now);
  return {
    signing: signer.generation(),
    roots: splitPem(signer.roots()).map((pem) => ({
      generation: generationName(pem),
      notAfter: new Date(new X509Certificate(pem).validTo).toISOString(),
    })),
    ...(rotation !== undefined && { rotation: rotation.status() }),
    ...(trouble !== undefined && { trouble }),
    exchange: exchange.position(),
    nodes: [...exchange.nodes()].map(([node, part]) => {
      const { validUntil, generations = [] } = inUse.get(node) ?? {};
      const at = records.heard().get(node);
      return {
        node,
        ...(at !== undefined && { lastHeard: new Date(at).toISOString() }),
        ...(validUntil !== undefined && { validUntil: new Date(validUntil).toISOString() }),
        generations,
        exchange: part,
      };
    }),
  };
}
