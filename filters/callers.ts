import { answerSize, answerStart, copyOf, Key, noteGarbage, readProperty } from "../assembly/index";
import { ByteMap } from "./byte-map";
import { FilterConfig } from "./config";
import { readSource, readSourceAddress } from "./filter-state";
import { Peer, peerOf, peerOfText, UNKNOWN } from "./peer";
import { Principal } from "./principal";

const CERTIFICATE = Key.path(["connection", "uri_san_peer_certificate"]);
const SCHEME = "spiffe://";
const SCHEME_START = load<u64>(changetype<usize>(String.UTF8.encode(SCHEME)));
const MAX = 10_000;

/**
 * The caller of a call that arrives at a pod. Only its certificate, or the listener of this node through which it came,
 * says who it is. Its address adds the other labels of metrics, if a workload with that identity has the address.
 */
export class Callers {
  private readonly peers: ByteMap<string> = new ByteMap<string>();
  private readonly known: ByteMap<Peer> = new ByteMap<Peer>();

  constructor(config: FilterConfig) {
    for (let i = 0; i < config.peers.length; i++) {
      this.peers.add(String.UTF8.encode(config.peers[i].address), config.peers[i].peer);
    }
  }

  /**
   * From the header that the listener sets: `-`; a SPIFFE ID and an address with `|` between them; or a peer string
   * (agent/compile/http/http-connection-manager.ts).
   */
  of(start: usize, size: usize): Peer {
    if (size < 9) return UNKNOWN;
    if (load<u64>(start) != SCHEME_START) return peerOf(start, size);
    const known = this.known.find(start, size);
    return known === null ? this.add(start, size) : known;
  }

  /** The caller of a TCP connection, which has no headers. */
  ofConnection(): Peer {
    if (readSource()) return this.of(answerStart(), answerSize());
    if (!readProperty(CERTIFICATE)) return UNKNOWN;
    const uri = String.UTF8.decodeUnsafe(answerStart(), answerSize());
    if (!uri.startsWith(SCHEME)) return UNKNOWN;
    const address = readSourceAddress() ? String.UTF8.decodeUnsafe(answerStart(), answerSize()) : "";
    const text = String.UTF8.encode(uri + "|" + address);
    return this.of(changetype<usize>(text), text.byteLength);
  }

  /** The pod of the mesh that has the address, for DENY policies alone: an address proves nothing. UNKNOWN: no such pod. */
  ownerOf(start: usize, size: usize): Peer {
    const peer = this.peers.find(start, size);
    if (peer === null) return UNKNOWN;
    noteGarbage(512);
    return peerOfText(peer);
  }

  private add(start: usize, size: usize): Peer {
    const text = String.UTF8.decodeUnsafe(start, size);
    const bar = text.lastIndexOf("|");
    const principal = text.substring(SCHEME.length, bar);
    const address = String.UTF8.encode(text.substring(bar + 1));
    const peer = this.peers.find(changetype<usize>(address), address.byteLength);
    const described = peer !== null && peer.endsWith("|" + principal) ? peer : withoutWorkload(principal);
    if (this.known.size >= MAX) this.known.clear();
    const result = peerOfText(described + "|mtls");
    this.known.add(copyOf(start, size), result);
    return result;
  }
}

/** All places share one map, because a large mesh has many workloads. */
class CurrentCallers {
  current: Callers = new Callers(new FilterConfig());
}

export const callers = new CurrentCallers();

/** A peer string with the namespace of a SPIFFE ID, and nothing else. */
function withoutWorkload(principal: string): string {
  return "||" + new Principal(principal).namespace + "||||||" + principal;
}
