import type { ServiceTarget } from "./destinations.ts";
import { outboundMode } from "./destinations.ts";
import type { NodeView } from "./node-view.ts";

/** A pod's ports whose protocol its Services tell. All others are looked at. */
export interface PodPorts {
  readonly http: readonly number[];
  readonly tcp: readonly number[];
}

const NONE: PodPorts = { http: [], tcp: [] };

/**
 * Ports of this node's pods, by uid, whether or not they are ready: a listener that changed with a probe would cut its
 * connections. A port that two Services call differently is looked at, too. Services of the pod's own namespace alone count:
 * those of another one may name any address as theirs, and would say how a stranger's pod reads what comes to it.
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
