import type { CapturedDestination, CaptureState, PodFacts, PodPort } from "../../model/capture-state.ts";
import type { Destination, ServiceTarget } from "../view/destinations.ts";
import { directDestinations } from "../view/direct.ts";
import { remotePod } from "../../model/exchange.ts";
import { briefPorts } from "../mtls/brief-ports.ts";
import type { NodeMtls } from "../mtls/node-mtls.ts";
import type { LocalPod, NodeView } from "../view/node-view.ts";
import type { CompileOptions } from "../view/options.ts";
import type { PodPorts } from "../view/pod-ports.ts";

/**
 * What the kernel needs to know: this node's pods, and the destinations for which the proxy has a cluster. It also
 * has the virtual addresses that are refused, with all of their ports: the proxy has no cluster for them.
 */
export function captureState(
  view: NodeView,
  mtls: NodeMtls,
  targets: readonly ServiceTarget[],
  { dialled, refused }: { readonly dialled: readonly Destination[]; readonly refused: readonly CapturedDestination[] },
  portsOf: (uid: string) => PodPorts,
  options: Pick<CompileOptions, "identities" | "remoteCaptured">,
): CaptureState {
  const brief = options.identities === undefined ? [] : briefPortsHere(view, mtls, portsOf);
  return {
    pods: view.knownPods.map(facts),
    // The kernel looks destinations up for connections of captured pods alone.
    destinations:
      view.localPods.length === 0
        ? []
        : [
            // The map may be full: what guards pods comes first.
            ...directDestinations(view, targets, portsOf),
            ...refused,
            // Of two entries with one address and port the last one counts: that of the Service.
            ...dialled.map(({ address, port, mode }) => ({ address, port, mode })),
          ],
    briefPorts: brief,
    // The kernel looks callers up for connections to such a port alone.
    mtlsCallers: brief.length === 0 ? [] : mtlsCallers(view, options.remoteCaptured),
  };
}

function briefPortsHere(view: NodeView, mtls: NodeMtls, portsOf: (uid: string) => PodPorts): readonly PodPort[] {
  return view.localPods.flatMap((pod) =>
    briefPorts(portsOf(pod.workload.uid), mtls.modesOf(pod)).flatMap((port) =>
      pod.addresses.map((address): PodPort => ({ address, port })),
    ),
  );
}

/**
 * Addresses of all pods with the label, captured or not yet, and of other nodes' pods that are still captured though
 * their label has gone. A pod whose label this node has not heard of is missing; its TLS bytes follow its connection at
 * once, so that the short wait of the brief listener suffices.
 */
function mtlsCallers(
  { workloadsByAddress }: NodeView,
  remoteCaptured: CompileOptions["remoteCaptured"],
): readonly string[] {
  return [...workloadsByAddress].flatMap(([address, workload]) =>
    workload.enrolled || remoteCaptured.has(remotePod(workload)) ? [address] : [],
  );
}

function facts({ workload, netns, addresses, state }: LocalPod): PodFacts {
  const { uid, probePorts } = workload;
  return { uid, netns, addresses, probePorts, phase: state.phase };
}
