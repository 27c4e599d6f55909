import type { ServiceTarget } from "./destinations.ts";
import { outboundMode } from "./destinations.ts";
import type { NodeView } from "./node-view.ts";

/** The ports of a pod whose protocol its Services name. On all other ports the proxy detects the protocol. */
export interface PodPorts {
  readonly http: readonly number[];
  readonly tcp: readonly number[];
}

const NONE: PodPorts = { http: [], tcp: [] };

/**
 * Ports of this node's pods, by UID, whether the pods are ready or not: a listener that changed with readiness would
 * cut its connections. If two Services name different protocols for a port, the proxy detects it. Only Services in the
 * pod's own namespace count: a Service in another namespace may name any address, and must not decide how a foreign pod
 * reads its bytes.
 */
export function podPorts(view: NodeView, targets: readonly ServiceTarget[]): (uid: string) => PodPorts {
  const modes = new Map<string, Map<number, "http" | "tcp" | "detect">>();
  for (const { service, port } of targets.filter((target) => view.isServedHere(target.service))) {
    const mode = outboundMode(port.protocol);
    for (const { pod, port: number } of view.podPortsBehind(service, port)) {
      if (pod.meta.namespace !== service.meta.namespace) continue;
      const own = modes.get(pod.uid) ?? new Map<number, "http" | "tcp" | "detect">();
      const before = own.get(number);
      own.set(number, before === undefined || before === mode ? mode : "detect");
      modes.set(pod.uid, own);
    }
  }
  return (uid) => {
    const own = modes.get(uid);
    if (own === undefined) return NONE;
    const of = (mode: "http" | "tcp"): readonly number[] =>
      [...own].flatMap(([port, known]) => (known === mode ? [port] : [])).toSorted((a, b) => a - b);
    return { http: of("http"), tcp: of("tcp") };
  };
}
