import type { MtlsMode, PeerAuthentication } from "../../model/peer-authentication.ts";
import type { Workload } from "../../model/workload.ts";

/** What PeerAuthentications say about one pod. */
export interface PeerModes {
  /** Of every port that is not in `ports`. */
  readonly other: MtlsMode;
  readonly ports: ReadonlyMap<number, MtlsMode>;
}

export const PERMISSIVE: PeerModes = { other: "PERMISSIVE", ports: new Map() };

export function modeOf({ other, ports }: PeerModes, port: number): MtlsMode {
  return ports.get(port) ?? other;
}

/**
 * For a pod that joins or leaves while some nodes still speak to it in plaintext, or already: what it does without STRICT.
 * What was DISABLE stays so, for by that the listener's filters differ, and with other ones it would drop its connections.
 */
export function withoutStrict({ other, ports }: PeerModes): PeerModes {
  const soften = (mode: MtlsMode): MtlsMode => (mode === "STRICT" ? "PERMISSIVE" : mode);
  return { other: soften(other), ports: new Map([...ports].map(([port, mode]) => [port, soften(mode)])) };
}

/**
 * The narrowest scope that says something counts: port, then workload, then namespace, then mesh (the root namespace). Of
 * two in one scope the older one, as in Istio.
 */
export function peerModes(
  policies: readonly PeerAuthentication[],
  rootNamespace: string,
): (workload: Workload) => PeerModes {
  if (policies.length === 0) return () => PERMISSIVE;
  const byAge = policies.toSorted((a, b) => compare(key(a), key(b)));
  const mesh = byAge.find(({ meta, selector }) => meta.namespace === rootNamespace && selector === undefined);
  return (workload) => {
    const { namespace } = workload.meta;
    const inNamespace = byAge.filter(({ meta }) => meta.namespace === namespace);
    const own = inNamespace.find(({ selector }) => selector !== undefined && selects(selector, workload));
    const wide = inNamespace.find(({ selector }) => selector === undefined);
    const inherited = wide?.mode ?? mesh?.mode ?? "PERMISSIVE";
    return { other: own?.mode ?? inherited, ports: own?.ports ?? PERMISSIVE.ports };
  };
}

function selects(selector: Readonly<Record<string, string>>, { meta }: Workload): boolean {
  return Object.entries(selector).every(([label, value]) => meta.labels[label] === value);
}

function key({ meta }: PeerAuthentication): string {
  return `${meta.creationTimestamp} ${meta.namespace}/${meta.name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
