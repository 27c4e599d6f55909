import type { NodeCgroups } from "../machine/cgroup.ts";
import type { NodeAddresses } from "../network/address-plan.ts";

/** Where a node of the lab is: its name, its network, its cgroups. */
export interface NodePlace {
  readonly name: string;
  /** Name of its network namespace. */
  readonly netns: string;
  readonly addresses: NodeAddresses;
  readonly cgroups: NodeCgroups;
}
