import { X509Certificate } from "node:crypto";
import type { ExchangeNode } from "./exchange-log.ts";
import type { ExchangeService } from "./exchange-service.ts";
import type { Position } from "../authority-protocol.ts";
import type { NodeRecords } from "./node-records.ts";
import { generationName } from "./generation.ts";
import { splitPem } from "../x509/pem.ts";
import type { RootRotation, RotationStatus } from "./root-rotation.ts";
import type { CertificateSigner } from "./signer.ts";

/** What an authority answers at `/status`. */
export interface AuthorityStatus {
  /** The generation of roots that signs. */
  readonly signing: string;
  /** All roots that nodes are to trust, the oldest first. */
  readonly roots: readonly { readonly generation: string; readonly notAfter: string }[];
  /** Absent if the roots come from --ca-folder. */
  readonly rotation?: RotationStatus;
  /** Why the files in --ca-folder cannot be used; the authority goes on with earlier ones. */
  readonly trouble?: string;
  /** The newest state of what nodes tell each other. */
  readonly exchange: Position;
  /** Nodes whose certificates may be in use, and nodes whose agents are here. */
  readonly nodes: readonly AuthorityNode[];
}

export interface AuthorityNode {
  readonly node: string;
  /** Absent if the node has sent no request since the authority started. */
  readonly lastHeard?: string;
  /** When the last of its certificates ends, at the latest; absent where it has none that is valid. */
  readonly validUntil?: string;
  /** The generations of roots under which its certificates were signed. */
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
