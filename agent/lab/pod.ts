import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../lib/errors.ts";
import type { PodAddresses } from "./addresses.ts";
import { removeCgroup } from "./cgroup.ts";
import { Container } from "./container.ts";
import { podLogDir, type LabPaths } from "./lab-paths.ts";
import { removeNetns, netnsName, netnsPath } from "./netns.ts";
import { createPodNetwork } from "./network.ts";
import type { PodPlan } from "./pod-plan.ts";
import { podFacts, writeEtcFiles } from "./pod-files.ts";
import type { NodePlace } from "./node-place.ts";
import type { ProbedContainer } from "./kubelet-protocol.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

/** A pod that has a node: its network namespace, its cgroup, its containers. Ends with `stop`; is never started twice. */
export class Pod {
  readonly uid: string;
  /** Replaced when only its labels and annotations change. */
  plan: PodPlan;
  readonly node: NodePlace;
  readonly addresses: PodAddresses;
  readonly netns: string;
  readonly createdAt = new Date();
  /** Why it cannot run, once that is certain; "" otherwise. */
  failure = "";
  #containers: readonly Container[] = [];
  /** By key of the start: what its probe said last. */
  readonly #probes = new Map<string, { readonly ready: boolean; readonly message: string }>();
  readonly #paths: LabPaths;
  readonly #onChange: () => void;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(
    identity: {
      readonly uid: string;
      readonly plan: PodPlan;
      readonly node: NodePlace;
      readonly addresses: PodAddresses;
    },
    paths: LabPaths,
    onChange: () => void,
  ) {
    this.uid = identity.uid;
    this.plan = identity.plan;
    this.node = identity.node;
    this.addresses = identity.addresses;
    this.#paths = paths;
    this.#onChange = onChange;
    this.netns = netnsName(paths.name, shortUid(identity.uid));
  }

  get containers(): readonly Container[] {
    return this.#containers;
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Path of its network namespace. */
  get netnsPath(): string {
    return netnsPath(this.netns);
  }

  get phase(): PodPhase {
    if (this.failure !== "") return "Failed";
    const states = this.#containers.map(({ state }) => state);
    if (states.length === 0) return "Pending";
    if (states.some(({ kind }) => kind !== "exited")) return "Running";
    // Between its end and the wait for the next start a container is "exited" for a moment.
    const { restartPolicy } = this.plan.spec;
    const failed = states.some((state) => state.kind === "exited" && state.code !== 0);
    if (restartPolicy === "Always" || (restartPolicy === "OnFailure" && failed)) return "Running";
    return failed ? "Failed" : "Succeeded";
  }

  get ready(): boolean {
    return this.phase === "Running" && !this.stopping && this.#containers.every((each) => this.isReady(each));
  }

  isReady(container: Container): boolean {
    if (container.state.kind !== "running") return false;
    return container.spec.readinessProbe === undefined || this.#probes.get(this.#key(container))?.ready === true;
  }

  /** Why a container is not ready, in words; "" if it is. */
  explain(container: Container): string {
    const { state } = container;
    if (state.kind === "waiting") return state.reason;
    if (state.kind === "exited") return `ended with ${state.reason}`;
    if (this.isReady(container)) return "";
    return this.#probes.get(this.#key(container))?.message || "its readiness probe has not answered yet";
  }

  /** Makes the pod's network and starts its containers. Never rejects: see `failure`. */
  start(): Promise<void> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.failure = messageOf(error);
      this.#onChange();
    });
    return this.#starting;
  }

  /** Ends the pod and removes what it had. `graceMs`: how long its processes may take to end by themselves. */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  probed(): readonly ProbedContainer[] {
    return this.#containers.flatMap((container) => {
      const probe = container.spec.readinessProbe;
      const command = container.joinCommand();
      if (probe === undefined || command === undefined || this.stopping) return [];
      return [{ key: this.#key(container), address: this.addresses.ipv4, probe, join: command }];
    });
  }

  setProbe(key: string, ready: boolean, message: string): void {
    if (!this.#containers.some((container) => this.#key(container) === key)) return;
    this.#probes.set(key, { ready, message });
    this.#onChange();
  }

  async #start(): Promise<void> {
    const { uid, node, addresses, plan } = this;
    await createPodNetwork(this.#paths, this.netns, node, addresses, `p${shortUid(uid)}`);
    const etc = writeEtcFiles(this.#paths, this);
    mkdirSync(podLogDir(this.#paths, uid), { recursive: true });
    if (this.stopping) return;
    this.#containers = plan.spec.containers.map(
      (spec) =>
        new Container({
          spec,
          place: {
            cgroup: join(this.#cgroup, spec.name),
            netns: this.netnsPath,
            etc,
            hostname: plan.hostname,
          },
          facts: podFacts(this),
          restartPolicy: plan.spec.restartPolicy,
          logFile: join(podLogDir(this.#paths, uid), `${spec.name}.log`),
          onChange: this.#onChange,
        }),
    );
    for (const container of this.#containers) container.start();
  }

  async #stop(graceMs: number): Promise<void> {
    await this.#starting;
    this.#onChange();
    await Promise.all(this.#containers.map((container) => container.stop(graceMs)));
    await removeCgroup(this.#cgroup);
    await removeNetns(this.#paths, this.netns);
    rmSync(join(this.#paths.root, "pods", this.uid), { recursive: true, force: true });
  }

  get #cgroup(): string {
    return join(this.node.cgroups.pods, this.uid);
  }

  #key(container: Container): string {
    return `${this.uid}/${container.spec.name}/${container.restarts}`;
  }
}

/** Long enough to tell the pods of a machine apart, short enough for a link's name. */
export function shortUid(uid: string): string {
  return uid.replaceAll("-", "").slice(0, 12);
}
