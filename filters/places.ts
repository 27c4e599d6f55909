import { Key, propertyText } from "../assembly/index";
import { FilterConfig } from "./config";
import { Peer, peerOf, UNKNOWN } from "./peer";

// Filter state that the pods' listeners set (agent/compile/xds/filter-state.ts), read as properties.
const SOURCE = Key.path(["filter_state", "ambit.source"]);
const DESTINATION = Key.path(["filter_state", "ambit.destination"]);
const PEER_IP = Key.path(["filter_state", "ambit.peer_ip"]);
const LOCAL_PORT = Key.path(["filter_state", "ambit.local_port"]);

/** The caller as its own listener knows it; "" where the call came from elsewhere. */
export function sourceText(): string {
  return propertyText(SOURCE);
}

export function destinationText(): string {
  return propertyText(DESTINATION);
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
  readonly byAddress: Map<string, string> = new Map();

  constructor(config: FilterConfig) {
    for (let i = 0; i < config.peers.length; i++) {
      this.byAddress.set(config.peers[i].address, config.peers[i].peer);
    }
  }

  /** Inbound: through a listener of this node (a call that policy sent this way), or from an address that is known. */
  source(address: string): Peer {
    const own = sourceText();
    if (own.length > 0) return peerOf(own);
    return this.byAddress.has(address) ? peerOf(this.byAddress.get(address)) : UNKNOWN;
  }
}
