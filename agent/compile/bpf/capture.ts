import type { Destination, ServiceTarget } from "../destinations.ts";
import { directDestinations } from "../direct.ts";
import type { LocalPod, NodeView } from "../node-view.ts";
import type { CapturedPod, CaptureState } from "./capture-state.ts";

/** What the kernel is asked to capture: the enrolled pods here, and the destinations that the proxy has a cluster for. */
export function captureState(
  view: NodeView,
  targets: readonly ServiceTarget[],
  destinations: readonly Destination[],
): CaptureState {
  return {
    pods: view.localPods.map(captured),
    leaving: view.leavingPods.map(captured),
    // Without an enrolled pod nobody would look a destination up.
    destinations:
      view.localPods.length + view.leavingPods.length === 0
        ? []
        : [
            // What a Service says of the same address and port comes last, and counts.
            ...directDestinations(view, targets),
            ...destinations.map(({ address, port, mode }) => ({ address, port, mode })),
          ],
  };
}

function captured({ workload, netns, waits }: LocalPod): CapturedPod {
  const { uid, addresses, probePorts } = workload;
  return { uid, netns, addresses, probePorts, waits };
}
