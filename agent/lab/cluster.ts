import { randomBytes, randomUUID } from "node:crypto";
import { messageOf } from "../lib/errors.ts";
import type { Desired } from "./desired.ts";
import { nextStep } from "./deployment-controller.ts";
import { podOf, safeName, type DeploymentPlan } from "./deployment-plan.ts";
import type { LabNode } from "./lab-node.ts";
import type { LabPaths } from "./lab-paths.ts";
import { Pod } from "./pod.ts";
import { podKey, type PodPlan } from "./pod-plan.ts";
import { chooseNode } from "./scheduler.ts";

/** How long processes may take to end, at most, whatever their pod says: people wait. Milliseconds. */
const MAX_GRACE_MS = 5_000;

/** The pods of the lab: makes what is wanted, ends what is not. */
export class Cluster {
  readonly #paths: LabPaths;
  readonly #nodes: readonly LabNode[];
  readonly #onChange: () => void;
  readonly #pods = new Map<string, Pod>();
  /** Pods that could not be given a place, and why, by `namespace/name`. */
  readonly #unplaced = new Map<string, string>();

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

  /** Takes one step towards what is wanted; to be called again after each change, as some steps wait for earlier ones. */
  reconcile(desired: Desired): void {
    this.#unplaced.clear();
    // Written wrongly now and running since it was right: it runs on, as the API server would refuse the change.
    const kept = new Set(desired.rejected.map(podKey));
    const bare = new Map(desired.pods.map((plan) => [podKey(plan), plan]));
    const deployments = new Map(desired.deployments.map((plan) => [podKey(plan), plan]));
    for (const [key, pod] of this.#pods) {
      const { deployment } = pod.plan;
      if (kept.has(deployment ?? key)) continue;
      const plan = deployment === undefined ? bare.get(key) : undefined;
      const wanted = deployment === undefined ? plan?.revision === pod.plan.revision : deployments.has(deployment);
      if (!wanted) this.#remove(pod);
      else if (plan !== undefined) pod.plan = plan;
    }
    for (const [key, plan] of bare) if (!this.#pods.has(key)) this.#create(plan);
    for (const plan of deployments.values()) this.#scale(plan);
  }

  setProbe(key: string, ready: boolean, message: string): void {
    for (const pod of this.#pods.values()) pod.setProbe(key, ready, message);
  }

  /** Ends every pod. */
  async stop(): Promise<void> {
    await Promise.all(this.pods.map((pod) => pod.stop(graceOf(pod))));
  }

  #scale(plan: DeploymentPlan): void {
    const owned = this.pods.filter((pod) => pod.plan.deployment === podKey(plan));
    const living = owned.filter((pod) => !pod.stopping);
    const steps = living.map((pod) => ({
      pod,
      revision: pod.plan.revision,
      ready: pod.ready,
      createdAt: pod.createdAt,
    }));
    const step = nextStep(plan, steps, owned.length - living.length);
    for (const { pod } of step.remove) this.#remove(pod);
    for (let count = 0; count < step.create; count++)
      this.#create(podOf(plan, safeName(randomBytes(5).toString("hex"), 5)));
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
      const pod = new Pod(identity, this.#paths, this.#onChange);
      this.#pods.set(podKey(plan), pod);
      void pod.start();
    } catch (error) {
      this.#unplaced.set(podKey(plan), messageOf(error));
    }
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
