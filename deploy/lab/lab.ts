import { compareText } from "../../agent/lib/compare.ts";
import { AmbitError } from "../../agent/lib/errors.ts";
import { isEnrolled } from "../../agent/model/enrollment.ts";
import { printProblem, type PrintedProblem, type Problem } from "../../agent/model/problem.ts";
import { LabCluster } from "./cluster/lab-cluster.ts";
import { readDesired, type Desired } from "./cluster/desired.ts";
import { EnrollmentOverrides } from "./cluster/enrollment-overrides.ts";
import type { ManifestWatch } from "./cluster/manifest-watch.ts";
import { ClusterPublisher } from "./cluster/cluster-publisher.ts";
import type { LabStatus, LabNodeStatus, LabPodStatus } from "./control/status-protocol.ts";
import { openKubeProxy, type KubeProxy } from "./kube-proxy/kube-proxy.ts";
import type { LabPaths } from "./machine/lab-paths.ts";
import { UsageMeter } from "./machine/usage.ts";
import { addNodeRoute, createFabric } from "./network/links.ts";
import { netnsPath } from "./network/netns.ts";
import { AuthorityProcess } from "./nodes/authority-process.ts";
import { LabNode, type LabNodeEvents } from "./nodes/lab-node.ts";
import { podKey } from "./pod-spec/pod-plan.ts";
import { podStatus } from "./pods/pod-status.ts";
import type { Pod } from "./pods/pod.ts";
import { serviceStatus } from "./services/resolve-services.ts";

export interface LabOptions {
  readonly paths: LabPaths;
  readonly manifests: string;
  readonly nodeNames: readonly string[];
  /** Whether to start the nodes' agents. Without them the lab is a cluster without a mesh. */
  readonly agents: boolean;
}

/** A running lab: the manifests as they are now, and everything that follows from them. */
export class Lab {
  readonly #options: LabOptions;
  readonly #watch: ManifestWatch;
  readonly #nodes: readonly LabNode[];
  readonly #cluster: LabCluster;
  readonly #publisher: ClusterPublisher;
  readonly #enrollment = new EnrollmentOverrides();
  readonly #usage = new UsageMeter();
  #measuring: NodeJS.Timeout | undefined;
  #kubeProxy: KubeProxy | undefined;
  #authority: AuthorityProcess | undefined;
  #desired: Desired;
  #scheduled = false;
  #running = false;

  constructor(options: LabOptions, watch: ManifestWatch) {
    const { paths, nodeNames } = options;
    this.#options = options;
    this.#watch = watch;
    this.#desired = readDesired(watch.objects);
    const onChange = (): void => this.#changed();
    const onProbe: LabNodeEvents["onProbe"] = (key, role, result) => this.#cluster.setProbe(key, role, result);
    this.#nodes = nodeNames.map((name, index) => new LabNode(paths, name, index + 1, { onChange, onProbe }));
    this.#cluster = new LabCluster(paths, this.#nodes, onChange);
    this.#publisher = new ClusterPublisher(paths.cluster, this.#nodes, this.#enrollment, (services) =>
      this.#kubeProxy?.setServices(services),
    );
  }

  /** Makes the network, then starts the name servers, then the pods. Rejects where the machine does not allow it. */
  async start(): Promise<void> {
    await createFabric(this.#options.paths);
    await Promise.all(this.#nodes.map((node) => node.createNetwork()));
    await Promise.all(
      this.#nodes.flatMap((node) =>
        this.#nodes
          .filter((other) => other !== node)
          .map((other) => addNodeRoute(node.place.netns, other.place.addresses)),
      ),
    );
    this.#kubeProxy = openKubeProxy(this.#nodes.map(({ place }) => place.cgroups.node));
    for (const node of this.#nodes) node.startKubelet();
    this.#publisher.publish(this.#desired, []);
    if (this.#options.agents) await this.#startAgents();
    this.#watch.onChange((objects) => {
      this.#desired = readDesired(objects);
      this.#changed();
    });
    this.#running = true;
    // CPU usage is the difference of two readings. Regular readings keep the period between them short.
    this.#measuring = setInterval(() => this.#measure(), MEASURE_MS);
    this.#changed();
  }

  /** Ends the pods, then the processes that serve them. */
  async stop(): Promise<void> {
    this.#running = false;
    clearInterval(this.#measuring);
    this.#watch.close();
    await this.#cluster.stop();
    await Promise.all([...this.#nodes.map((node) => node.stop()), this.#authority?.stop()]);
    this.#kubeProxy?.close();
  }

  /** `target`: a namespace, or `namespace/pod`. Throws AmbitError `not-in-lab`. */
  setEnrollment(target: string, on: boolean): void {
    const [namespace = "", pod] = target.split("/");
    if (pod !== undefined) {
      const found = this.#cluster.pods.find(({ plan }) => plan.namespace === namespace && plan.name === pod);
      if (found === undefined) throw notInLab(`pod ${target}`);
      this.#enrollment.set(target, on, found.plan.labels);
    } else {
      const known =
        this.#desired.namespaces.has(namespace) || this.#cluster.pods.some(({ plan }) => plan.namespace === namespace);
      if (!known) throw notInLab(`namespace ${namespace}`);
      this.#enrollment.set(namespace, on, this.#desired.namespaces.get(namespace)?.labels ?? {});
    }
    this.#changed();
  }

  /**
   * Arguments of /bin/sh that run a command inside a pod's container: the caller appends the command.
   * Throws AmbitError `not-in-lab`, `not-running`.
   */
  joinCommand(namespace: string, name: string, container: string | undefined): readonly string[] {
    const pod = this.#findPod(namespace, name);
    if (pod === undefined) throw notInLab(`pod ${namespace}/${name}`);
    const found =
      container === undefined ? pod.containers[0] : pod.containers.find(({ spec }) => spec.name === container);
    if (found === undefined && container !== undefined)
      throw notInLab(`container ${container} in pod ${namespace}/${name}`);
    const command = found?.joinCommand();
    if (found !== undefined && command !== undefined) return command;
    throw new AmbitError({
      code: "not-running",
      kind: "user",
      what: `the pod ${namespace}/${name} does not run`,
      why: found === undefined ? pod.failure : pod.explain(found),
      remedy: "see 'ambit lab status' and 'ambit lab logs'",
    });
  }

  status(): LabStatus {
    const nodes = this.#nodes.map((node) => this.#nodeStatus(node));
    const pods = this.#cluster.pods.map((pod) => this.#podStatus(pod));
    const { rejected } = this.#desired;
    const { failedJobs } = this.#cluster;
    // A Job replaces its failed pods, and reports by itself once it gives up.
    const ofJobs = new Set(this.#cluster.pods.filter(isOfJob).map(({ uid }) => uid));
    const lost = [
      ...rejected.map(({ kind, namespace, name, reason }) => `${kind} ${namespace}/${name}: ${reason}`),
      ...failedJobs.map(({ namespace, name, reason }) => `Job ${namespace}/${name}: ${reason}`),
      ...[...this.#cluster.unplaced].map(([pod, reason]) => `Pod ${pod}: ${reason}`),
      ...pods
        .filter(({ phase, uid }) => phase === "Failed" && !ofJobs.has(uid))
        .map(({ namespace, name, reason }) => `Pod ${namespace}/${name}: ${reason}`),
    ];
    const late = [
      ...nodes.filter(({ ready }) => !ready).map(({ name, reason }) => `Node ${name}: ${reason}`),
      ...pods
        .filter(({ phase, status, reason }) => phase !== "Failed" && status !== "Terminating" && reason !== "")
        .map(({ namespace, name, reason }) => `Pod ${namespace}/${name}: ${reason}`),
      ...this.#cluster.waitingFor,
      ...this.#cluster.pods.filter(isFresh).map(({ plan }) => `Pod ${podKey(plan)}: it has just started`),
      ...(this.#running ? [] : ["the network is being made"]),
    ];
    return {
      name: this.#options.paths.name,
      manifests: this.#options.manifests,
      ready: lost.length === 0 && late.length === 0,
      waitingFor: [...lost, ...late],
      failed: lost.length > 0,
      failedJobs: [...rejected.filter(({ kind }) => kind === "Job"), ...failedJobs].map(podKey),
      authorityPid: this.#authority?.pid ?? null,
      nodes,
      pods: pods.sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name)),
      services: this.#publisher.services.map(serviceStatus),
      warnings: this.#warnings(),
    };
  }

  /** One node after the other: the first one makes the certificate that identifies the authority. */
  async #startAgents(): Promise<void> {
    const { paths, manifests } = this.#options;
    const authority = new AuthorityProcess(paths, manifests);
    this.#authority = authority;
    for (const node of this.#nodes) await node.startAgent(manifests, authority);
  }

  #findPod(namespace: string, name: string): Pod | undefined {
    const here = this.#cluster.pods.filter(({ plan, stopping }) => plan.namespace === namespace && !stopping);
    const owned = here.filter(({ plan }) => plan.owner?.endsWith(` ${namespace}/${name}`) === true);
    return here.find(({ plan }) => plan.name === name) ?? owned.find(({ ready }) => ready) ?? owned[0];
  }

  #nodeStatus({ name, place, agent, metrics, serving, failure }: LabNode): LabNodeStatus {
    const reason = serving ? (agent?.explain() ?? "") : failure || "its name server is being started";
    return {
      name,
      netns: netnsPath(place.netns),
      ip: place.addresses.uplink.ipv4,
      agentPid: agent?.pid ?? null,
      envoyPid: agent?.status?.envoyPid ?? null,
      metricsUrl: metrics?.url ?? null,
      adminSocket: agent?.socket ?? null,
      agentUsage: this.#usage.ofProcess(agent?.pid) ?? null,
      envoyUsage: this.#usage.ofProcess(agent?.status?.envoyPid) ?? null,
      ready: reason === "",
      reason,
    };
  }

  #podStatus(pod: Pod): LabPodStatus {
    const namespace = this.#publisher.namespaceLabels(pod.plan.namespace, this.#desired.namespaces);
    const wanted = isEnrolled(this.#publisher.podLabels(pod), namespace);
    const agent = this.#nodes.find(({ name }) => name === pod.node.name)?.agent;
    return podStatus(pod, wanted, agent?.status, this.#options.agents, this.#usage.ofCgroup(pod.cgroup));
  }

  #measure(): void {
    for (const { agent } of this.#nodes) {
      this.#usage.ofProcess(agent?.pid);
      this.#usage.ofProcess(agent?.status?.envoyPid);
    }
    for (const pod of this.#cluster.pods) this.#usage.ofCgroup(pod.cgroup);
    this.#usage.tidy(10 * MEASURE_MS);
  }

  #warnings(): readonly PrintedProblem[] {
    const { nodes } = this.#desired;
    const names = this.#options.nodeNames;
    const late = nodes
      .filter((name) => !names.includes(name))
      .map((name): Problem => ({
        severity: "warning",
        code: "lab-nodes-fixed",
        origin: { file: this.#options.manifests },
        subject: { group: "", version: "v1", kind: "Node", namespace: "", name },
        field: "",
        reason: "a lab keeps the nodes that it was started with",
        remedy: "Take the lab down and up again.",
      }));
    const taken = this.#publisher.refusedClusterIPs.map(({ service, address }): Problem => {
      const { namespace, name } = service;
      return {
        severity: "error",
        code: "duplicate-cluster-ip",
        origin: { file: this.#options.manifests },
        subject: { group: "", version: "v1", kind: "Service", namespace, name },
        field: "spec.clusterIP",
        reason: `${address} belongs to a Service of another namespace; the Service does not get it`,
        remedy: "Give the Service another clusterIP, or leave it out.",
      };
    });
    return [...this.#watch.problems, ...this.#desired.problems, ...late, ...taken].map(printProblem);
  }

  /** Applies all changes of this turn of the event loop at once. */
  #changed(): void {
    if (this.#scheduled || !this.#running) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#running) return;
      if (this.#nodes.every(({ serving }) => serving) || this.#cluster.pods.length > 0)
        this.#cluster.reconcile(this.#desired);
      this.#publisher.publish(this.#desired, this.#cluster.pods);
    });
  }
}

const MEASURE_MS = 2_000;

/** A process that lacks a file or a port has ended within this time. */
const SETTLE_MS = 1_000;

/** A container without a probe counts as ready once it runs. In its first moments that says little. */
function isFresh(pod: Pod): boolean {
  return pod.containers.some(({ spec, state }) => {
    if (state.kind !== "running" || spec.readinessProbe !== undefined) return false;
    return Date.now() - state.startedAt.getTime() < SETTLE_MS;
  });
}

function isOfJob({ plan }: Pod): boolean {
  return plan.owner?.startsWith("Job ") === true;
}

function notInLab(what: string): AmbitError {
  return new AmbitError({
    code: "not-in-lab",
    kind: "user",
    what: `the lab has no ${what}`,
    remedy: "see 'ambit lab status'",
  });
}
