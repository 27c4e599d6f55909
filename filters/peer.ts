import { Interned } from "./interned";

/** A workload as the agent describes it: agent/compile/filters/peer-string.ts. An unknown one has empty fields. */
export class Peer {
  /** Different for each text; 0 is nobody. */
  readonly id: u32;
  uid: string = "";
  pod: string = "";
  namespace: string = "";
  workload: string = "";
  app: string = "";
  version: string = "";
  canonicalService: string = "";
  canonicalRevision: string = "";
  principal: string = "";
  /** Of an endpoint: delivered in this same pass, so that its side of the call is reported here, too. */
  near: bool = false;

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
    }
  }
}

export const UNKNOWN = new Peer("", 0);

const known = new Interned<Peer>((text, id) => new Peer(text, id), UNKNOWN);

/** Parsed once for each text: most calls are between the same few workloads, and decoding costs more than comparing. */
export function peerOf(bytes: ArrayBuffer | null): Peer {
  return known.of(bytes);
}

export function peerOfText(text: string): Peer {
  return known.of(String.UTF8.encode(text));
}
