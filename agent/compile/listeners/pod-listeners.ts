import { Remembered } from "../../lib/remember.ts";
import type { Workload } from "../../model/workload.ts";
import type { Listener } from "../../xds/gen/envoy/config/listener/v3/listener_pb.ts";
import type { LocalPod } from "../node-view.ts";
import type { CompileOptions } from "../options.ts";
import type { PeerModes } from "../mtls/peer-mode.ts";
import type { PodPorts } from "../pod-ports.ts";
import { inboundListeners } from "./inbound-listener.ts";
import { outboundListeners } from "./outbound-listener.ts";

// They are what a node with many pods has most of, and what changes least.
const remembered = new Remembered<Workload, readonly Listener[]>();

/**
 * The listeners that a pod's state asks for: all, or the inbound ones alone while the pod has no certificate. They are the
 * same messages as before, as long as nothing that they say has changed.
 */
export function podListeners(
  pod: LocalPod,
  ports: PodPorts,
  modes: PeerModes,
  options: CompileOptions,
): readonly Listener[] {
  const depends = [
    pod.netns,
    pod.effects.listeners,
    ports.http.join(),
    ports.tcp.join(),
    [modes.other, ...modes.ports].join(),
    options.identities !== undefined,
    options.trustDomain,
    options.accessLog,
  ];
  return remembered.get(pod.workload, "", depends, () => [
    ...(pod.effects.listeners === "all" ? outboundListeners(pod, options) : []),
    ...inboundListeners(pod, ports, modes, options),
  ]);
}
