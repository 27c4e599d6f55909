import { familyOf } from "../../lib/ip-address.ts";
import type { Workload } from "../../model/workload.ts";
import type { CapturedDestination } from "../../model/capture-state.ts";
import { outboundMode, type ServiceTarget } from "./destinations.ts";
import { hostPort } from "./names.ts";
import type { NodeView } from "./node-view.ts";
import type { PodPorts } from "./pod-ports.ts";

/**
 * A pod of the mesh that is dialled by its own address, past any Service. Every port of every such pod can be: so nothing is
 * made of them before somebody does.
 */
export interface DirectTarget {
  readonly workload: Workload;
  readonly address: string;
  readonly port: number;
}

/** The one that an `address:port` is, as Envoy prints it. */
export function directTarget(name: string, view: NodeView): DirectTarget | undefined {
  const at = name.lastIndexOf(":");
  const host = name.slice(0, at);
  const address = host.startsWith("[") ? host.slice(1, -1) : host;
  const port = Number(name.slice(at + 1));
  const workload = view.workloadsByAddress.get(address);
  if (workload?.enrolled !== true || !Number.isInteger(port) || hostPort(address, port) !== name) return undefined;
  if ((familyOf(address) === 6) !== host.startsWith("[")) return undefined;
  return { workload, address, port };
}

/**
 * Where pods of the mesh are dialled directly: at any port, whose first bytes are looked at; at those that a Service of the
 * pod's namespace says are not HTTP, as they are; and at those of this node's pods that are HTTP, as nothing else. A call to
 * another node meets a listener that knows that; here, who speaks late would be taken for somebody who does not speak HTTP.
 */
export function directDestinations(
  view: NodeView,
  targets: readonly ServiceTarget[],
  portsOf: (uid: string) => PodPorts,
): readonly CapturedDestination[] {
  const anyPort = [...view.workloadsByAddress].flatMap(([address, { enrolled }]): readonly CapturedDestination[] =>
    enrolled ? [{ address, port: 0, mode: "detect" }] : [],
  );
  const http = view.localPods
    .filter(({ workload }) => workload.enrolled)
    .flatMap(({ workload: { uid, addresses } }) =>
      portsOf(uid).http.flatMap((port) =>
        addresses.map((address): CapturedDestination => ({ address, port, mode: "http" })),
      ),
    );
  const tcp = targets
    .filter(({ port }) => outboundMode(port.protocol) === "tcp")
    .flatMap(({ service, backends }) =>
      backends.filter(
        ({ workload }) => workload?.enrolled === true && workload.meta.namespace === service.meta.namespace,
      ),
    )
    .map(({ address, port }): CapturedDestination => ({ address, port, mode: "tcp" }));
  return [...anyPort, ...http, ...tcp];
}
