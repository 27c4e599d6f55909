/** A workload as the agent describes it: agent/compile/filters/peer-string.ts. An unknown one has empty fields. */
export class Peer {
  readonly text: string;
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

  constructor(text: string) {
    this.text = text;
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

export const UNKNOWN = new Peer("");

const known = new Map<string, Peer>();
const MAX_KNOWN = 10_000;

/** Parsed once for each text: most calls are between the same few workloads. */
export function peerOf(text: string): Peer {
  if (text.length == 0) return UNKNOWN;
  if (known.has(text)) return known.get(text);
  if (known.size >= MAX_KNOWN) known.clear();
  const peer = new Peer(text);
  known.set(text, peer);
  return peer;
}
