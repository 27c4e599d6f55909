import { briefPorts } from "../mtls/brief-ports.ts";
import type { Destination, ServiceTarget } from "../destinations.ts";
import { directDestinations } from "../direct.ts";
import type { LocalPod, NodeView } from "../node-view.ts";
import type { CompileOptions } from "../options.ts";
import type { PodPorts } from "../pod-ports.ts";
import type { CapturedPod, CaptureState, PodPort } from "../../model/capture-state.ts";

/** What the kernel is asked to capture: the enrolled pods here, and the destinations that the proxy has a cluster for. */
export function captureState(
  view: NodeView,
  targets: readonly ServiceTarget[],
  destinations: readonly Destination[],
  portsOf: (uid: string) => PodPorts,
  options: Pick<CompileOptions, "identities" | "captured">,
): CaptureState {
  const brief = options.identities === undefined ? [] : briefPortsHere(view, portsOf);
  return {
    pods: view.localPods.map(captured),
    leaving: view.leavingPods.map(captured),
    // Without an enrolled pod nobody would look a destination up.
    destinations:
      view.localPods.length + view.leavingPods.length === 0
        ? []
        : [
            // What a Service says of the same address and port comes last, and counts.
            ...directDestinations(view, targets, portsOf),
            ...destinations.map(({ address, port, mode }) => ({ address, port, mode })),
          ],
    briefPorts: brief,
    // Without such a port nobody would look one up.
    mtlsCallers: brief.length === 0 ? [] : mtlsCallers(view, options.captured),
  };
}

function briefPortsHere(view: NodeView, portsOf: (uid: string) => PodPorts): readonly PodPort[] {
  return [...view.localPods, ...view.leavingPods].flatMap(({ workload }) =>
    briefPorts(portsOf(workload.uid), view.modesOf(workload)).flatMap((port) =>
      workload.addresses.map((address): PodPort => ({ address, port })),
    ),
  );
}

/**
 * Who bears the label, captured or not yet, and whom its node goes on capturing though the label has gone. A pod whose label
 * this node has not heard of is not among them: its TLS follows its connection at once.
 */
function mtlsCallers({ workloadsByAddress }: NodeView, reported: ReadonlySet<string>): readonly string[] {
  return [...workloadsByAddress].flatMap(([address, { enrolled, uid }]) =>
    enrolled || reported.has(uid) ? [address] : [],
  );
}

function captured({ workload, netns, waits }: LocalPod): CapturedPod {
  const { uid, addresses, probePorts } = workload;
  return { uid, netns, addresses, probePorts, waits };
}
