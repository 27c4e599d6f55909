import type { DemoStatus } from "../shop/demo-lab.ts";
import { edgesBetween, type Edge } from "./edges.ts";
import type { Snapshot } from "./take-snapshot.ts";

/** What the screen shows. */
export interface View {
  readonly enrolled: boolean;
  readonly failing: boolean;
  readonly edges: readonly Edge[];
  /** Calls from the storefront to the inventory, by the applications' own counts. */
  readonly inventory: InventoryView;
  readonly containers: ContainerCounts;
}

export interface InventoryView {
  /** Calls a second. */
  readonly rate: number;
  /** 0–1; undefined while there were no calls. */
  readonly success: number | undefined;
  /** Tries beyond the first one, as a share of calls; undefined while there were no calls. */
  readonly retryShare: number | undefined;
}

export interface ContainerCounts {
  readonly pods: number;
  readonly nodes: number;
  readonly withSidecars: number;
  readonly withAmbit: number;
}

export function viewOf(
  earlier: Snapshot,
  later: Snapshot,
  state: Pick<View, "enrolled" | "failing" | "containers">,
): View {
  const seconds = Math.max((later.at - earlier.at) / 1000, 0.001);
  return {
    ...state,
    edges: edgesBetween(earlier.samples, later.samples, seconds),
    inventory: inventoryBetween(earlier, later, seconds),
  };
}

function inventoryBetween(earlier: Snapshot, later: Snapshot, seconds: number): InventoryView {
  const total = ({ outcomes }: Snapshot): number => Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const good = ({ outcomes }: Snapshot): number => outcomes["200"] ?? 0;
  const calls = total(later) - total(earlier);
  const retries = later.tries - earlier.tries - calls;
  return {
    rate: calls / seconds,
    success: calls > 0 ? (good(later) - good(earlier)) / calls : undefined,
    retryShare: calls > 0 ? Math.max(0, retries / calls) : undefined,
  };
}

/** A sidecar is one more container in each pod of the mesh; Ambit is an agent and an Envoy on each node. */
export function countContainers(status: DemoStatus, namespace: string): ContainerCounts {
  const applications = status.pods.reduce((sum, pod) => sum + pod.containers.length, 0);
  const inMesh = status.pods.filter((pod) => pod.namespace === namespace).length;
  return {
    pods: inMesh,
    nodes: status.nodes.length,
    withSidecars: applications + inMesh,
    withAmbit: applications + 2 * status.nodes.length,
  };
}
