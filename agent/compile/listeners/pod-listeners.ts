import { Remembered } from "../../lib/remember.ts";
import { DEFAULT_CALLER_TIMES } from "../../model/caller-times.ts";
import type { Workload } from "../../model/workload.ts";
import type { Listener } from "../../xds/gen/envoy/config/listener/v3/listener_pb.ts";
import type { LocalPod } from "../view/node-view.ts";
import type { CompileOptions } from "../view/options.ts";
import type { PeerModes } from "../mtls/peer-mode.ts";
import type { PodPorts } from "../view/pod-ports.ts";
import { accessLogs } from "../connection/access-log.ts";
import { DEFAULT_POD_CONNECTIONS } from "./connection-limits.ts";
import { inboundListeners } from "./inbound-listener.ts";
import { outboundListeners, type ListenerOptions } from "./outbound-listener.ts";

/** Earlier results. Listeners are most of what a node with many pods has, and they hardly change. */
export type ListenerMemory = Remembered<Workload, readonly Listener[]>;

export function newListenerMemory(): ListenerMemory {
  return new Remembered();
}

/**
 * Makes the listeners that a pod's state asks for: all, or only the inbound ones while the pod has no certificate. The
 * messages are the same as before while nothing in them changes.
 */
export function podListeners(
  {
    trustDomain,
    accessLog,
    identities,
    podConnections = DEFAULT_POD_CONNECTIONS,
    callerTimes: times = DEFAULT_CALLER_TIMES,
  }: Pick<CompileOptions, "trustDomain" | "accessLog" | "identities" | "podConnections" | "callerTimes">,
  memory: ListenerMemory,
): (pod: LocalPod, ports: PodPorts, modes: PeerModes) => readonly Listener[] {
  const options: ListenerOptions = {
    trustDomain,
    hasMtls: identities !== undefined,
    podConnections,
    times,
    logs: accessLogs(accessLog),
  };
  return (pod, ports, modes) => {
    const { listeners } = pod.effects;
    const depends = [
      pod.netns,
      pod.addresses.join(),
      listeners,
      ports.http.join(),
      ports.tcp.join(),
      [modes.other, ...modes.ports].join(),
      options.hasMtls,
      trustDomain,
      accessLog,
      podConnections,
      Object.values(times).join(),
    ];
    return memory.get(pod.workload, "", depends, () => [
      ...(listeners === "all" ? outboundListeners(pod, options) : []),
      ...inboundListeners(pod, ports, modes, options),
    ]);
  };
}
