import type * as lab from "../lab/control/lab-status.ts";

/** What the demo reads of `ambit lab status -o json`. */
export interface LabStatus {
  readonly nodes: readonly LabNode[];
  readonly pods: readonly LabPod[];
}

export type LabNode = Pick<lab.NodeStatus, "name" | "metricsUrl">;

export interface LabPod extends Pick<lab.PodStatus, "namespace" | "name" | "node" | "ip" | "enrolled"> {
  readonly containers: readonly Pick<lab.ContainerStatus, "name" | "pid" | "restarts">[];
}

/** The pods of a Deployment, by the name that its pods start with. */
export function podsOf(status: LabStatus, namespace: string, app: string): readonly LabPod[] {
  return status.pods.filter((pod) => pod.namespace === namespace && pod.name.startsWith(`${app}-`));
}

/** The only pod of a Deployment that has one. Throws if there is none. */
export function podOf(status: LabStatus, namespace: string, app: string): LabPod {
  const [pod] = podsOf(status, namespace, app);
  if (pod === undefined) throw new Error(`the lab has no pod of ${namespace}/${app}`);
  return pod;
}

/** Every container's process: `namespace/pod/container pid restarts`, sorted. */
export function processesOf(status: LabStatus): readonly string[] {
  return status.pods
    .flatMap(({ namespace, name, containers }) =>
      containers.map((container) => `${namespace}/${name}/${container.name} ${container.pid} ${container.restarts}`),
    )
    .toSorted();
}
