import { carries, compareAge, type ObjectMeta } from "../../model/meta.ts";
import type { MtlsMode, PeerAuthentication } from "../../model/peer-authentication.ts";
import type { Workload } from "../../model/workload.ts";

/** What PeerAuthentications say about one pod. */
export interface PeerModes {
  /** The mode of every port that is not in `ports`. */
  readonly other: MtlsMode;
  readonly ports: ReadonlyMap<number, MtlsMode>;
}

export const PERMISSIVE: PeerModes = { other: "PERMISSIVE", ports: new Map() };

export function modeOf({ other, ports }: PeerModes, port: number): MtlsMode {
  return ports.get(port) ?? other;
}

/**
 * PERMISSIVE in place of STRICT, for a pod that joins or leaves while some nodes may send it plaintext. DISABLE stays:
 * the listener's filters depend on it, and a listener whose filters change drops its connections.
 */
export function withoutStrict({ other, ports }: PeerModes): PeerModes {
  const soften = (mode: MtlsMode): MtlsMode => (mode === "STRICT" ? "PERMISSIVE" : mode);
  return { other: soften(other), ports: new Map([...ports].map(([port, mode]) => [port, soften(mode)])) };
}

/** A mode, and the object that sets it; undefined: no object does, and it is the default. */
export interface DecidedMode {
  readonly mode: MtlsMode;
  readonly by: ObjectMeta | undefined;
}

/** The PeerAuthentications that apply to a pod, by scope. */
interface Scopes {
  readonly own: PeerAuthentication | undefined;
  readonly namespace: PeerAuthentication | undefined;
  readonly mesh: PeerAuthentication | undefined;
}

export function peerModes(
  policies: readonly PeerAuthentication[],
  rootNamespace: string,
): (workload: Workload) => PeerModes {
  if (policies.length === 0) return () => PERMISSIVE;
  const scopesOf = scopes(policies, rootNamespace);
  return (workload) => {
    const found = scopesOf(workload);
    return { other: widest(found).mode, ports: found.own?.ports ?? PERMISSIVE.ports };
  };
}

/** The mode of one port, and the object that sets it. */
export function decidedMode(
  policies: readonly PeerAuthentication[],
  rootNamespace: string,
  workload: Workload,
  port: number,
): DecidedMode {
  const found = scopes(policies, rootNamespace)(workload);
  const mode = found.own?.ports.get(port);
  return mode === undefined ? widest(found) : { mode, by: found.own?.meta };
}

/** The mode of all ports that have none of their own. */
function widest({ own, namespace, mesh }: Scopes): DecidedMode {
  for (const one of [own, namespace, mesh]) if (one?.mode !== undefined) return { mode: one.mode, by: one.meta };
  return { mode: "PERMISSIVE", by: undefined };
}

/**
 * The narrowest scope with a mode counts: port, then workload, then namespace, then mesh (the root namespace). Of two
 * objects in one scope the older one counts, as in Istio.
 */
function scopes(policies: readonly PeerAuthentication[], rootNamespace: string): (workload: Workload) => Scopes {
  const byAge = policies.toSorted((a, b) => compareAge(a.meta, b.meta));
  const mesh = byAge.find(({ meta, selector }) => meta.namespace === rootNamespace && selector === undefined);
  return (workload) => {
    const inNamespace = byAge.filter(({ meta }) => meta.namespace === workload.meta.namespace);
    const own = inNamespace.find(({ selector }) => selector !== undefined && carries(workload.meta, selector));
    return { own, namespace: inNamespace.find(({ selector }) => selector === undefined), mesh };
  };
}
