import { familyOf } from "../../lib/ip-address.ts";
import type { Workload } from "../../model/workload.ts";
import type { CapturedDestination } from "../../model/capture-state.ts";
import { outboundMode, type ServiceTarget } from "./destinations.ts";
import { hostPort } from "./names.ts";
import type { NodeView } from "./node-view.ts";
import type { PodPorts } from "./pod-ports.ts";

/**
 * A pod of the mesh that a caller dials by its own address, without a Service. Callers may dial every port of every
 * such pod, so clusters and endpoints for it are made only when Envoy asks for them.
 */
export interface DirectTarget {
  readonly workload: Workload;
  readonly address: string;
  readonly port: number;
}

/** The pod and port that an `address:port` means, as Envoy prints it; undefined: no enrolled pod has that address. */
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
 * Connections of captured pods to pods of the mesh, for the kernel. Any port goes to the listener that detects the
 * protocol. A port that is not HTTP, as a Service in the pod's namespace says, goes to the listener for TCP. A port
 * that is HTTP goes to the listener for HTTP if the pod is on this node: the detecting listener would treat a caller
 * that speaks late as one that does not speak HTTP. A call to another node needs no such entry, as the inbound listener
 * there knows the port's protocol.
 */
export function directDestinations(
  view: NodeView,
  targets: readonly ServiceTarget[],
  portsOf: (uid: string) => PodPorts,
): readonly CapturedDestination[] {
  const enrolled = [...view.workloadsByAddress].flatMap(([address, workload]) => (workload.enrolled ? [address] : []));
  // The proxy has no cluster for a contested address: it refuses connections to it.
  const anyPort = [...enrolled, ...view.contestedAddresses].map((address): CapturedDestination => ({
    address,
    port: 0,
    mode: "detect",
  }));
  const http = view.localPods
    .filter(({ workload }) => workload.enrolled)
    .flatMap(({ workload: { uid }, addresses }) =>
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
