import { Interned } from "./byte-map";
import { Principal } from "./principal";

const NO_BYTES = new ArrayBuffer(0);

/** A workload as the agent describes it: agent/compile/filters/peer-string.ts. An unknown one has empty fields. */
export class Peer {
  /** A different number for each text; 0: unknown. */
  readonly id: u32;
  uid: string = "";
  uidBytes: ArrayBuffer = NO_BYTES;
  pod: string = "";
  namespace: string = "";
  workload: string = "";
  app: string = "";
  version: string = "";
  canonicalService: string = "";
  canonicalRevision: string = "";
  principal: string = "";
  /** In UTF-8, for policies: the principal and its parts. They never come from an address or a claim. */
  identity: ArrayBuffer = NO_BYTES;
  identityNamespace: ArrayBuffer = NO_BYTES;
  /** `namespace/service-account`. */
  identityAccount: ArrayBuffer = NO_BYTES;
  /** Of an endpoint: this pass delivers the call, and reports the destination's side, too. */
  near: bool = false;
  /** The caller came, or the endpoint is called, by mTLS. */
  mtls: bool = false;

  constructor(text: string, id: u32) {
    this.id = id;
    const fields = text.split("|");
    if (fields.length >= 9) {
      this.uid = fields[0];
      this.pod = fields[1];
      this.namespace = fields[2];
      this.workload = fields[3];
      this.app = fields[4];
      this.version = fields[5];
      this.canonicalService = fields[6];
      this.canonicalRevision = fields[7];
      this.principal = fields[8];
      this.near = fields.length > 9 && fields[9] == "near";
      this.mtls = fields.length > 9 && fields[9] == "mtls";
    }
    this.uidBytes = String.UTF8.encode(this.uid);
    this.identity = String.UTF8.encode(this.principal);
    this.identityAccount = String.UTF8.encode(new Principal(this.principal).account);
    this.identityNamespace = String.UTF8.encode(this.principal.length > 0 ? this.namespace : "");
  }
}

export const UNKNOWN = new Peer("", 0);

const known = new Interned<Peer>((text, id) => new Peer(text, id), UNKNOWN);

/** Parsed once for each text: most calls are between the same few workloads, and decoding costs more than comparing. */
export function peerOf(start: usize, size: usize): Peer {
  return known.of(start, size);
}

export function peerOfText(text: string): Peer {
  const bytes = String.UTF8.encode(text);
  return known.of(changetype<usize>(bytes), bytes.byteLength);
}
