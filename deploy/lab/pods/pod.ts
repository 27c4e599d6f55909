import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../agent/lib/errors.ts";
import type { PodPhase } from "../control/status-protocol.ts";
import type { ProbedContainer, ProbeResult, ProbeRole } from "../kubelet/kubelet-protocol.ts";
import { removeCgroup } from "../machine/cgroup.ts";
import { podLogDir, type LabPaths } from "../machine/lab-paths.ts";
import { ensureMountPoint } from "../machine/mount-points.ts";
import type { PodAddresses } from "../network/address-plan.ts";
import { createPodNetwork } from "../network/links.ts";
import { netnsName, netnsPath, removeNetns } from "../network/netns.ts";
import type { NodePlace } from "../nodes/node-place.ts";
import type { ConfigLookup } from "../pod-spec/config-data.ts";
import type { ContainerSpec } from "../pod-spec/container-spec.ts";
import type { PodPlan } from "../pod-spec/pod-plan.ts";
import type { RestartPolicy } from "../pod-spec/pod-spec.ts";
import type { Mounts } from "./container-command.ts";
import { downwardFields, type PodIdentity } from "./container-env.ts";
import { Container, describeState } from "./container.ts";
import { writeEtcFiles } from "./etc-files.ts";
import { ProbeResults } from "./probe-results.ts";
import { Volumes } from "./volumes.ts";

export interface PodEvents {
  readonly onChange: () => void;
  /** Resolves when the node's agent knows the pod's network namespace. */
  readonly admit: (uid: string) => Promise<void>;
}

/** A pod that has a node: its network namespace, its cgroup, its containers. `stop` ends it for good. */
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
  /** Which of its volumes differ from their ConfigMaps and Secrets, in words; "" otherwise. */
  staleVolumes = "";
  #containers: readonly Container[] = [];
  #init = new InitContainers([]);
  readonly #probes: ProbeResults;
  #volumes: Volumes | undefined;
  readonly #paths: LabPaths;
  readonly #lookup: ConfigLookup;
  readonly #onChange: () => void;
  readonly #admit: PodEvents["admit"];
  #starting: Promise<void> | undefined;
  /** Starts the application's containers; undefined once it has. */
  #startContainers: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  constructor(identity: PodIdentity, paths: LabPaths, lookup: ConfigLookup, events: PodEvents) {
    this.uid = identity.uid;
    this.plan = identity.plan;
    this.node = identity.node;
    this.addresses = identity.addresses;
    this.#probes = new ProbeResults(identity.uid, identity.addresses.ipv4);
    this.#paths = paths;
    this.#lookup = lookup;
    this.#onChange = events.onChange;
    this.#admit = events.admit;
    this.netns = netnsName(paths.name, shortUid(identity.uid));
  }

  /** The application's containers; none until the init containers are through. */
  get containers(): readonly Container[] {
    return this.#containers;
  }

  /** The init container that the pod waits for; undefined when they are through. */
  get initProgress(): InitProgress | undefined {
    return this.#containers.length > 0 ? undefined : this.#init.progress();
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Path of its network namespace. */
  get netnsPath(): string {
    return netnsPath(this.netns);
  }

  /** Holds a cgroup for each container. */
  get cgroup(): string {
    return join(this.node.cgroups.pods, this.uid);
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
    return this.#probes.isReady(container);
  }

  /** Why a container is not ready, in words; "" if it is. */
  explain(container: Container): string {
    return this.#probes.explain(container);
  }

  /** What the kubelet probes now. */
  probed(): readonly ProbedContainer[] {
    return this.stopping ? [] : this.#probes.probed(this.#all);
  }

  setProbe(key: string, role: ProbeRole, result: ProbeResult): void {
    if (this.#probes.take(this.#all, key, role, result)) this.#onChange();
  }

  /** Makes the pod's network and starts its containers. Never rejects: see `failure`. */
  start(): Promise<void> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.failure = messageOf(error);
      this.#onChange();
    });
    return this.#starting;
  }

  /**
   * Ends the pod and removes its files, cgroup and network namespace. `graceMs`: the time for its processes to end by
   * themselves.
   */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  /** To be called when ConfigMaps or Secrets have changed. */
  refreshVolumes(): void {
    this.staleVolumes = this.#volumes?.refresh() ?? "";
  }

  get #all(): readonly Container[] {
    return [...this.#init.all, ...this.#containers];
  }

  async #start(): Promise<void> {
    const { uid, node, addresses, plan } = this;
    await createPodNetwork(this.#paths, this.netns, node, addresses, `p${shortUid(uid)}`);
    const etc = writeEtcFiles(this.#paths, this);
    mkdirSync(podLogDir(this.#paths, uid), { recursive: true });
    // As a container runtime asks its network plugins: what guards the pod is there before its first process.
    await this.#admit(uid);
    if (this.stopping) return;
    const folder = join(this.#paths.root, "pods", uid, "volumes");
    const claims = join(this.#paths.root, "claims", plan.namespace);
    const volumes = new Volumes(folder, claims, plan.spec.volumes, this.#lookup);
    this.#volumes = volumes;
    const container = (spec: ContainerSpec, restartPolicy: RestartPolicy): Container =>
      new Container({
        spec,
        place: { cgroup: join(this.cgroup, spec.name), netns: this.netnsPath, etc, hostname: plan.hostname },
        facts: downwardFields(this),
        lookup: this.#lookup,
        mounts: () => this.#mounts(volumes, spec),
        restartPolicy,
        logFile: join(podLogDir(this.#paths, uid), `${spec.name}.log`),
        onChange: () => {
          this.#continueInit();
          this.#onChange();
        },
      });
    const { initContainers, containers, restartPolicy } = plan.spec;
    const retry = restartPolicy === "Never" ? "Never" : "OnFailure";
    this.#init = new InitContainers(initContainers.map((spec) => container(spec, spec.restartPolicy ?? retry)));
    this.#startContainers = () => {
      this.#containers = containers.map((spec) => container(spec, restartPolicy));
      for (const each of this.#containers) each.start();
    };
    this.#continueInit();
  }

  /** Init containers run first; then all containers of the application start at once. */
  #continueInit(): void {
    const start = this.#startContainers;
    if (this.stopping || this.failure !== "" || start === undefined) return;
    if (this.plan.spec.restartPolicy === "Never") this.failure = this.#init.failure();
    if (this.failure !== "" || !this.#init.advance()) return;
    this.#startContainers = undefined;
    start();
  }

  #mounts(volumes: Volumes, spec: ContainerSpec): Mounts | string {
    const mounts = volumes.mounts(spec.mounts);
    if (typeof mounts !== "string") {
      for (const { source, target } of mounts) {
        ensureMountPoint(this.#paths.name, target, statSync(source).isDirectory());
      }
    }
    return mounts;
  }

  async #stop(graceMs: number): Promise<void> {
    await this.#starting;
    this.#onChange();
    await Promise.all(this.#all.map((container) => container.stop(graceMs)));
    await removeCgroup(this.cgroup);
    await removeNetns(this.#paths, this.netns);
    rmSync(join(this.#paths.root, "pods", this.uid), { recursive: true, force: true });
  }
}

/** Long enough to tell the pods of a machine apart, short enough for a link's name. */
function shortUid(uid: string): string {
  return uid.replaceAll("-", "").slice(0, 12);
}

/** How far a pod's init containers are. `current`: the one that the pod waits for. */
export interface InitProgress {
  readonly done: number;
  readonly all: number;
  readonly current: Container;
}

/** Init containers run one after the other, each to its end; a sidecar (restartPolicy Always) only has to start. */
class InitContainers {
  readonly all: readonly Container[];
  readonly #begun = new Set<Container>();

  constructor(all: readonly Container[]) {
    this.all = all;
  }

  /** Starts the next one if the one before it is through. True when all are through. */
  advance(): boolean {
    for (const container of this.all) {
      if (isThrough(container)) continue;
      if (!this.#begun.has(container)) {
        this.#begun.add(container);
        container.start();
      }
      if (!isThrough(container)) return false;
    }
    return true;
  }

  /** Which one has failed for good, in words; "" if none has. Only for pods that do not retry. */
  failure(): string {
    for (const { state, spec } of this.all) {
      if (state.kind === "exited" && state.code !== 0) return `init container ${spec.name} ${describeState(state)}`;
    }
    return "";
  }

  /** The one that the pod waits for; undefined when all are through. */
  progress(): InitProgress | undefined {
    const current = this.all.find((container) => !isThrough(container));
    return current && { done: this.all.filter(isThrough).length, all: this.all.length, current };
  }
}

function isThrough({ state, spec }: Container): boolean {
  if (spec.restartPolicy === "Always") return state.kind === "running";
  return state.kind === "exited" && state.code === 0;
}
