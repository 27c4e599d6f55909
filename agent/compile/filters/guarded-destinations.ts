import type { Workload } from "../../model/workload.ts";
import type { Destination, ServiceTarget } from "../view/destinations.ts";
import { hostPort } from "../view/names.ts";
import type { Backend } from "../view/node-view.ts";
import type { FilterConfig } from "./filter-config.ts";
import type { Written } from "./part-check.ts";

/** A destination whose first backend a set guards, as the filters of callers are told of it unless its other backends differ. */
export interface GuardedDestination extends Written<FilterConfig["clusters"][number]> {
  /** The name of its endpoints (`onDemandEndpoints`). */
  readonly endpoints: string;
}

export function guardedDestinations(
  setOf: (workload: Workload | undefined) => string | undefined,
  targets: readonly ServiceTarget[],
  dialled: readonly Destination[],
): readonly GuardedDestination[] {
  const guarded = (
    name: string,
    endpoints: string,
    { service }: ServiceTarget,
    backend: Backend | undefined,
  ): readonly GuardedDestination[] => {
    const policySet = setOf(backend?.workload);
    if (backend === undefined || policySet === undefined) return [];
    return [{ told: { name, policySet, port: backend.port }, by: service.meta, endpoints }];
  };
  return [
    ...targets.flatMap((target) => guarded(target.cluster, target.cluster, target, target.backends[0])),
    ...dialled.flatMap(({ address, port, target, backend }) => {
      const name = hostPort(address, port);
      return backend === undefined
        ? guarded(name, target.cluster, target, target.backends[0])
        : guarded(name, name, target, backend);
    }),
  ];
}
