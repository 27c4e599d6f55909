import type { Destination } from "../destinations.ts";
import type { NodeView } from "../node-view.ts";
import type { CaptureState } from "./capture-state.ts";

/** What the kernel is asked to capture: the enrolled pods here, and the destinations that the proxy has a cluster for. */
export function captureState(view: NodeView, destinations: readonly Destination[]): CaptureState {
  return {
    pods: view.localPods.map(({ workload, netns }) => ({
      uid: workload.uid,
      netns,
      addresses: workload.addresses,
      probePorts: workload.probePorts,
    })),
    // Without an enrolled pod nobody would look a destination up.
    destinations:
      view.localPods.length === 0 ? [] : destinations.map(({ address, port, mode }) => ({ address, port, mode })),
  };
}
