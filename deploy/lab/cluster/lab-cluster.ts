import { randomUUID } from "node:crypto";
import { messageOf } from "../../../agent/lib/errors.ts";
import type { ProbeResult, ProbeRole } from "../kubelet/kubelet-protocol.ts";
import type { LabPaths } from "../machine/lab-paths.ts";
import type { LabNode } from "../nodes/lab-node.ts";
import type { ConfigData, ConfigLookup, ConfigObject } from "../pod-spec/config-data.ts";
import { ownerKey, podKey, type PodPlan } from "../pod-spec/pod-plan.ts";
import { Pod } from "../pods/pod.ts";
import { nextStep, deploymentPod, type DeploymentPlan } from "../workloads/deployment.ts";
import { jobPod, nextJobStep, type JobFailure, type JobPlan } from "../workloads/job.ts";
import { newSuffix } from "../workloads/pod-template.ts";
import { chooseNode } from "../workloads/scheduler.ts";
import { nextStatefulStep, statefulPod, type StatefulSetPlan } from "../workloads/stateful-set.ts";
import type { Desired } from "./desired.ts";

/** Longest time in milliseconds for processes to end, whatever their pod says: people wait for it. */
const MAX_GRACE_MS = 5_000;

/** The pods of the lab: makes those that are wanted, and ends the others. */
export class LabCluster {
  readonly #paths: LabPaths;
  readonly #nodes: readonly LabNode[];
  readonly #onChange: () => void;
  readonly #pods = new Map<string, Pod>();
  /** Pods without a node, and why, by `namespace/name`. */
  readonly #unplaced = new Map<string, string>();
  /** By owner. Kept here, because the pods that have failed are gone. */
  readonly #failedJobs = new Map<string, JobFailure>();
  readonly #waitingFor: string[] = [];
  /** By `kind namespace/name`. */
  readonly #configs = new Map<string, ConfigData>();

  constructor(paths: LabPaths, nodes: readonly LabNode[], onChange: () => void) {
    this.#paths = paths;
    this.#nodes = nodes;
    this.#onChange = onChange;
  }

  get pods(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  get unplaced(): ReadonlyMap<string, string> {
    return this.#unplaced;
  }

  /** Jobs that have failed. */
  get failedJobs(): readonly JobFailure[] {
    return [...this.#failedJobs.values()];
  }

  /** StatefulSets that still lack pods, in words. */
  get waitingFor(): readonly string[] {
    return this.#waitingFor;
  }

  /** Takes one step towards what is wanted. Call it again after each change, as some steps wait for earlier ones. */
  reconcile(desired: Desired): void {
    this.#unplaced.clear();
    this.#waitingFor.length = 0;
    this.#takeConfigs(desired.configs);
    // An object with a wrong change keeps running as it was: an API server would refuse the change.
    const kept = new Set(desired.rejected.map(({ kind, ...names }) => `${kind} ${podKey(names)}`));
    const bare = new Map(desired.pods.map((plan) => [podKey(plan), plan]));
    const owners = new Set([
      ...desired.deployments.map((plan) => ownerKey("Deployment", plan)),
      ...desired.statefulSets.map((plan) => ownerKey("StatefulSet", plan)),
      ...desired.jobs.map((plan) => ownerKey("Job", plan)),
    ]);
    for (const [key, pod] of this.#pods) {
      const { owner } = pod.plan;
      if (kept.has(owner ?? `Pod ${key}`)) continue;
      const plan = owner === undefined ? bare.get(key) : undefined;
      const wanted = owner === undefined ? plan?.revision === pod.plan.revision : owners.has(owner);
      if (!wanted) this.#remove(pod);
      else if (plan !== undefined) pod.plan = plan;
    }
    for (const job of this.#failedJobs.keys()) if (!owners.has(job) && !kept.has(job)) this.#failedJobs.delete(job);
    for (const [key, plan] of bare) if (!this.#pods.has(key)) this.#create(plan);
    for (const plan of desired.deployments) this.#stepDeployment(plan);
    for (const plan of desired.statefulSets) this.#stepStatefulSet(plan);
    for (const plan of desired.jobs) this.#stepJob(plan);
  }

  setProbe(key: string, role: ProbeRole, result: ProbeResult): void {
    for (const pod of this.#pods.values()) pod.setProbe(key, role, result);
  }

  /** Ends every pod. */
  async stop(): Promise<void> {
    await Promise.all(this.pods.map((pod) => pod.stop(graceOf(pod))));
  }

  #stepDeployment(plan: DeploymentPlan): void {
    const owned = this.#ownedBy(ownerKey("Deployment", plan));
    const living = owned.filter(({ pod }) => !pod.stopping);
    const step = nextStep(plan, living, owned.length - living.length);
    for (const { pod } of step.remove) this.#remove(pod);
    for (let count = 0; count < step.create; count++) this.#create(deploymentPod(plan, newSuffix()));
  }

  #stepStatefulSet(plan: StatefulSetPlan): void {
    const owned = this.#ownedBy(ownerKey("StatefulSet", plan));
    const current = owned.filter(({ revision, stopping }) => revision === plan.template.hash && !stopping).length;
    if (current !== plan.replicas || owned.length !== current) {
      this.#waitingFor.push(`StatefulSet ${podKey(plan)}: ${current} of ${plan.replicas} pods are there`);
    }
    const step = nextStatefulStep(plan, owned);
    for (const { pod } of step.remove) this.#remove(pod);
    for (const ordinal of step.create) this.#create(statefulPod(plan, ordinal));
  }

  #stepJob(plan: JobPlan): void {
    const owner = ownerKey("Job", plan);
    const step = nextJobStep(plan, this.#ownedBy(owner), this.#failedJobs.get(owner));
    for (const { pod } of step.remove) this.#remove(pod);
    for (let count = 0; count < step.create; count++) this.#create(jobPod(plan, newSuffix()));
    if (step.failure === undefined) this.#failedJobs.delete(owner);
    else this.#failedJobs.set(owner, step.failure);
  }

  /** The pods of one controller, with what its steps read of them. */
  #ownedBy(owner: string) {
    return this.pods
      .filter((pod) => pod.plan.owner === owner)
      .map((pod) => ({
        pod,
        name: pod.plan.name,
        revision: pod.plan.revision,
        ready: pod.ready,
        phase: pod.phase,
        stopping: pod.stopping,
        createdAt: pod.createdAt,
        restarts: pod.containers.reduce((sum, { restarts }) => sum + restarts, 0),
      }));
  }

  #takeConfigs(configs: readonly ConfigObject[]): void {
    this.#configs.clear();
    for (const config of configs) this.#configs.set(`${config.kind} ${podKey(config)}`, config.data);
    for (const pod of this.#pods.values()) pod.refreshVolumes();
  }

  #create(plan: PodPlan): void {
    const placed = this.pods.filter(({ stopping }) => !stopping).map((pod) => ({ node: pod.node, plan: pod.plan }));
    const node = chooseNode(plan, this.#nodes, placed);
    if (node === undefined) {
      const names = this.#nodes.map(({ name }) => name).join(", ");
      this.#unplaced.set(podKey(plan), `spec.nodeName: the lab has no node '${plan.spec.nodeName}' (it has ${names})`);
      return;
    }
    try {
      const identity = { uid: randomUUID(), plan, node: node.place, addresses: node.pool.allocate() };
      const pod = new Pod(identity, this.#paths, this.#lookupIn(plan.namespace), {
        onChange: this.#onChange,
        admit: async (uid) => node.agent?.admit(uid),
      });
      this.#pods.set(podKey(plan), pod);
      void pod.start();
    } catch (error) {
      this.#unplaced.set(podKey(plan), messageOf(error));
    }
  }

  #lookupIn(namespace: string): ConfigLookup {
    return (kind, name) => this.#configs.get(`${kind} ${podKey({ namespace, name })}`);
  }

  #remove(pod: Pod): void {
    if (pod.stopping) return;
    void pod.stop(graceOf(pod)).then(
      () => this.#forget(pod),
      (error: unknown) => {
        process.stderr.write(`pod ${podKey(pod.plan)} could not be removed: ${messageOf(error)}\n`);
        this.#forget(pod);
      },
    );
  }

  #forget(pod: Pod): void {
    this.#pods.delete(podKey(pod.plan));
    this.#nodes.find(({ name }) => name === pod.node.name)?.pool.release(pod.addresses);
    this.#onChange();
  }
}

function graceOf(pod: Pod): number {
  return Math.min(pod.plan.spec.gracePeriodSeconds * 1000, MAX_GRACE_MS);
}
