import { answerSize, answerStart, closeDownstream, Key, readProperty, setEffectiveContext } from "../../assembly/index";
import { callers } from "../callers";
import { FilterConfig } from "../config";
import { calledPeer, ownDestination, ownSource, readLocalPort } from "../filter-state";
import { Peer } from "../peer";
import { Place } from "../places";
import { Stream, streams } from "../stream";
import { Call } from "./call";
import { decide } from "./decide";
import { Guards } from "./guards";

const CALLED_ADDRESS = Key.path(["upstream", "address"]);
const call = new Call();

/**
 * Decides TCP connections by the rules that need no bytes (agent/compile/policy/l4-policy.ts). The module decides a new
 * connection before its delivery, so that the application never sees one that is denied. It decides open connections again
 * when policies change: those that passed local_guard, and those that were delivered near before a policy guarded the pod.
 */
export class ConnectionGuard {
  private readonly guards: Guards;
  private isChanged: bool = true;

  constructor(config: FilterConfig) {
    this.guards = new Guards(config);
  }

  /** Decides a connection that has arrived at a pod. False: it is denied. */
  admits(): bool {
    return this.allows(ownDestination(), callers.current.ofConnection());
  }

  /** Closes the connections that policies do not allow any more. */
  review(): void {
    if (!this.isChanged) return;
    this.isChanged = false;
    if (this.guards.areNone) return;
    const open = streams.inPlaces(isDecided);
    for (let i = 0; i < open.length; i++) {
      setEffectiveContext(open[i].id);
      if (!this.stillAllows(open[i])) closeDownstream();
    }
  }

  private stillAllows(stream: Stream): bool {
    if (stream.place != Place.OutboundTcp) return this.admits();
    // The destination's node decides calls to pods of other nodes.
    const called = calledPeer();
    return !called.near || this.allows(called, ownSource());
  }

  private allows(destination: Peer, source: Peer): bool {
    const guard = this.guards.ofPod(destination.uidBytes);
    if (guard === null) return false;
    if (guard.isOpen) return true;
    call.begin(source);
    if (guard.set.readsAddress) call.readAddress();
    if (guard.set.readsDestination) call.readDestination();
    if (guard.set.readsPort) this.readPort();
    return decide(guard.set.policies, call).length == 0;
  }

  /** The application's port, not the Service's. Outbound: the endpoint's port. */
  private readPort(): void {
    if (readLocalPort()) {
      call.port.answer();
    } else if (readProperty(CALLED_ADDRESS)) {
      const start = answerStart();
      let at = answerSize();
      while (at > 0 && load<u8>(start + at - 1) != 0x3a) at--;
      call.port.at(start + at, answerSize() - at);
    }
  }
}

/**
 * Connections to a pod go through local_guard. The pod's own listener, in front of it, cannot decide: during the TLS
 * handshake the caller has no identity yet.
 */
function isDecided(place: Place): bool {
  return place == Place.Guard || place == Place.OutboundTcp;
}
