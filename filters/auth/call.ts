import { answerSize, answerStart, Key, noteGarbage, readProperty } from "../../assembly/index";
import { Bytes } from "../bytes";
import { callers } from "../callers";
import { readSourceAddress } from "../filter-state";
import { Peer, UNKNOWN } from "../peer";
import { parseAddress } from "./ip-block";
import { NO_IDENTITY, RequestIdentity } from "./request-identity";

const DESTINATION_ADDRESS = Key.path(["destination", "address"]);

/** The attributes of a call that policies can ask for. Only those that they do ask for have values. */
export class Call {
  source: Peer = UNKNOWN;
  /** The pod that has the source's address; null: not asked yet. */
  private owner: Peer | null = null;
  readonly principal: Bytes = new Bytes();
  readonly namespace: Bytes = new Bytes();
  readonly account: Bytes = new Bytes();
  /** The source's address, 16 bytes; null if the text is no address. */
  address: StaticArray<u8> | null = null;
  destination: StaticArray<u8> | null = null;
  readonly host: Bytes = new Bytes();
  readonly method: Bytes = new Bytes();
  readonly path: Bytes = new Bytes();
  readonly port: Bytes = new Bytes();
  readonly sni: Bytes = new Bytes();
  /** The claims of the verified token; jwt/authenticate.ts sets it. */
  identity: RequestIdentity = NO_IDENTITY;

  begin(source: Peer): void {
    this.source = source;
    this.owner = null;
    this.take(source);
    this.address = null;
    this.destination = null;
    this.host.clear();
    this.method.clear();
    this.path.clear();
    this.port.clear();
    this.identity = NO_IDENTITY;
  }

  /**
   * Gives a caller without an identity that of the pod whose address it has, until `becomeCaller`. For DENY policies alone: who
   * leaves the mesh to evade them has no certificate, but still an address. False: there is no such pod.
   */
  becomeOwner(): bool {
    if (this.source.identity.byteLength > 0) return false;
    const asked = this.owner;
    const owner = asked === null ? ownerOfAddress() : asked;
    this.owner = owner;
    if (owner.identity.byteLength == 0) return false;
    this.take(owner);
    return true;
  }

  becomeCaller(): void {
    this.take(this.source);
  }

  private take(peer: Peer): void {
    this.principal.of(peer.identity);
    this.namespace.of(peer.identityNamespace);
    this.account.of(peer.identityAccount);
  }

  readAddress(): void {
    if (!readSourceAddress()) return;
    noteGarbage(1024);
    this.address = parseAddress(String.UTF8.decodeUnsafe(answerStart(), answerSize()));
  }

  /** The local address of the connection: `address:port`, `[address]:port`. */
  readDestination(): void {
    if (!readProperty(DESTINATION_ADDRESS)) return;
    noteGarbage(1024);
    const text = String.UTF8.decodeUnsafe(answerStart(), answerSize());
    const host = text.substring(0, text.lastIndexOf(":"));
    this.destination = parseAddress(host.startsWith("[") ? host.substring(1, host.length - 1) : host);
  }
}

function ownerOfAddress(): Peer {
  return readSourceAddress() ? callers.current.ownerOf(answerStart(), answerSize()) : UNKNOWN;
}
