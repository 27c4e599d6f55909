import { Key, property, propertyText } from "../assembly/index";
import { FilterConfig } from "./config";
import { Peer, peerOf, peerOfText, UNKNOWN } from "./peer";

// Filter state that the pods' listeners set (agent/compile/xds/filter-state.ts), read as properties.
const SOURCE = Key.path(["filter_state", "ambit.source"]);
const DESTINATION = Key.path(["filter_state", "ambit.destination"]);
const PEER_IP = Key.path(["filter_state", "ambit.peer_ip"]);
const LOCAL_PORT = Key.path(["filter_state", "ambit.local_port"]);

/** The caller as its own listener knows it; unknown where the call came from elsewhere. */
export function ownSource(): Peer {
  return peerOf(property(SOURCE));
}

export function ownDestination(): Peer {
  return peerOf(property(DESTINATION));
}

/** The caller's address, at connection level. */
export function sourceAddress(): string {
  return propertyText(PEER_IP);
}

export function localPort(): string {
  return propertyText(LOCAL_PORT);
}

/** Enrolled workloads by address: who calls from another node, until certificates say so. */
export class Peers {
  readonly byAddress: Map<string, Peer> = new Map();

  constructor(config: FilterConfig) {
    for (let i = 0; i < config.peers.length; i++) {
      this.byAddress.set(config.peers[i].address, peerOfText(config.peers[i].peer));
    }
  }

  /** Inbound: through a listener of this node (a call that policy sent this way), or from an address that is known. */
  source(address: string): Peer {
    const own = ownSource();
    if (own.id != 0) return own;
    return this.byAddress.has(address) ? this.byAddress.get(address) : UNKNOWN;
  }
}
