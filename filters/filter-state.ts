import { answerSize, answerStart, Key, readProperty } from "../assembly/index";
import { Peer, peerOf, UNKNOWN } from "./peer";

// Filter state that the pods' listeners set (agent/compile/xds/filter-state.ts), read as properties.
const SOURCE = Key.path(["filter_state", "ambit.source"]);
const DESTINATION = Key.path(["filter_state", "ambit.destination"]);
const PEER_IP = Key.path(["filter_state", "ambit.peer_ip"]);
const LOCAL_PORT = Key.path(["filter_state", "ambit.local_port"]);

/** The caller as its own listener knows it; unknown where the call came from elsewhere. */
export function ownSource(): Peer {
  return readProperty(SOURCE) ? peerOf(answerStart(), answerSize()) : UNKNOWN;
}

export function ownDestination(): Peer {
  return readProperty(DESTINATION) ? peerOf(answerStart(), answerSize()) : UNKNOWN;
}

/** The caller's address, at connection level, into the host's answer. */
export function readSourceAddress(): bool {
  return readProperty(PEER_IP);
}

/** The application's port, as text. */
export function readLocalPort(): bool {
  return readProperty(LOCAL_PORT);
}
