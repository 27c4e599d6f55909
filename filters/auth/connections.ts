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
 * Decides about TCP connections by what can be known of them (agent/compile/policy/l4-policy.ts). A new one is decided in
 * front of its delivery, so that the application never sees one that is denied; open ones again whenever policies change:
 * those that went through here, and those that were delivered near without it, before a policy guarded the pod.
 */
export class ConnectionGuard {
  private readonly guards: Guards;
  private isChanged: bool = true;

  constructor(config: FilterConfig) {
    this.guards = new Guards(config);
  }

  /** The connection that has arrived at a pod. False: it is denied. */
  admits(): bool {
    return this.allows(ownDestination(), callers.current.ofConnection());
  }

  /** Closes what is not allowed any more. */
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
    // What is delivered elsewhere is decided there.
    const called = calledPeer();
    return !called.near || this.allows(called, ownSource());
  }

  private allows(destination: Peer, source: Peer): bool {
    const guard = this.guards.ofKey(destination.uidBytes);
    if (guard === null) return true;
    call.begin(source);
    if (guard.set.readsAddress) call.readAddress();
    if (guard.set.readsDestination) call.readDestination();
    if (guard.set.readsPort) this.readPort();
    return decide(guard.set.policies, call).length == 0;
  }

  /** The application's, not the Service's: outbound that of the endpoint. */
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
 * What arrives at a pod goes through the guard. In front of it, in the pod's own listener, nobody can decide: while the
 * handshake is under way, the caller has no identity yet.
 */
function isDecided(place: Place): bool {
  return place == Place.Guard || place == Place.OutboundTcp;
}
