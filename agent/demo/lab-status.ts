/** What the demo reads of `ambit lab status -o json`. */
export interface LabStatus {
  readonly nodes: readonly LabNode[];
  readonly pods: readonly LabPod[];
}

export interface LabNode {
  readonly name: string;
  readonly metricsUrl: string;
}

export interface LabPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** Its IPv4 address. */
  readonly ip: string;
  readonly enrolled: boolean;
  readonly containers: readonly { readonly name: string; readonly pid: number; readonly restarts: number }[];
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
