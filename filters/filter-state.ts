import { answerSize, answerStart, Key, readProperty } from "../assembly/index";
import { Peer, peerOf, UNKNOWN } from "./peer";

// Filter state that the pods' listeners set (agent/compile/filter-state.ts), and an endpoint's metadata
// (agent/compile/clusters/endpoints.ts), read as properties.
const SOURCE = Key.path(["filter_state", "ambit.source"]);
const DESTINATION = Key.path(["filter_state", "ambit.destination"]);
const PEER_IP = Key.path(["filter_state", "ambit.peer_ip"]);
const LOCAL_PORT = Key.path(["filter_state", "ambit.local_port"]);
const CALLED = Key.path(["xds", "upstream_host_metadata", "filter_metadata", "ambit", "peer"]);

/** The caller, from its own listener; unknown if the call came from another node. */
export function ownSource(): Peer {
  return peerAt(SOURCE);
}

export function ownDestination(): Peer {
  return peerAt(DESTINATION);
}

/** The chosen endpoint, by its metadata; unknown if Envoy chose none, or if the endpoint is no pod of the mesh. */
export function calledPeer(): Peer {
  return peerAt(CALLED);
}

function peerAt(property: Key): Peer {
  return readProperty(property) ? peerOf(answerStart(), answerSize()) : UNKNOWN;
}

/** Reads the listener's text about the caller into the host's answer. */
export function readSource(): bool {
  return readProperty(SOURCE);
}

/** Reads the caller's address, at connection level, into the host's answer. */
export function readSourceAddress(): bool {
  return readProperty(PEER_IP);
}

/** The application's port, as text. */
export function readLocalPort(): bool {
  return readProperty(LOCAL_PORT);
}
