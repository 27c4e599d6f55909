import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../agent/lib/errors.ts";
import type { PodAddresses } from "./addresses.ts";
import { removeCgroup } from "./cgroup.ts";
import type { ConfigLookup } from "./config-data.ts";
import { Container } from "./container.ts";
import type { Mounts } from "./container-command.ts";
import type { ContainerSpec } from "./container-spec.ts";
import { podLogDir, type LabPaths } from "./lab-paths.ts";
import { removeNetns, netnsName, netnsPath } from "./netns.ts";
import { createPodNetwork } from "./network.ts";
import type { PodPlan } from "./pod-plan.ts";
import { podFacts, writeEtcFiles } from "./pod-files.ts";
import type { NodePlace } from "./node-place.ts";
import { InitContainers } from "./init-containers.ts";
import type { ProbedContainer, ProbeResult, ProbeRole } from "./kubelet-protocol.ts";
import { ensureMountPoint } from "./mount-points.ts";
import type { RestartPolicy } from "./pod-spec.ts";
import { Volumes } from "./volumes.ts";

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
  /** Which of its volumes are not as their ConfigMaps and Secrets are now, in words; "" otherwise. */
  staleVolumes = "";
  #containers: readonly Container[] = [];
  #init = new InitContainers([]);
  /** By key of the start and the probe's role: what it said last. */
  readonly #probes = new Map<string, ProbeResult>();
  #volumes: Volumes | undefined;
  readonly #paths: LabPaths;
  readonly #lookup: ConfigLookup;
  readonly #onChange: () => void;
  #starting: Promise<void> | undefined;
  /** Set while the init containers are not through. */
  #startContainers: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  constructor(
    identity: {
      readonly uid: string;
      readonly plan: PodPlan;
      readonly node: NodePlace;
      readonly addresses: PodAddresses;
    },
    paths: LabPaths,
    lookup: ConfigLookup,
    onChange: () => void,
  ) {
    this.uid = identity.uid;
    this.plan = identity.plan;
    this.node = identity.node;
    this.addresses = identity.addresses;
    this.#paths = paths;
    this.#lookup = lookup;
    this.#onChange = onChange;
    this.netns = netnsName(paths.name, shortUid(identity.uid));
  }

  /** Those of the application; none before the init containers are through. */
  get containers(): readonly Container[] {
    return this.#containers;
  }

  /** Of init containers: which one the pod waits for, in words; "" when they are through. */
  explainInit(): string {
    return this.#containers.length > 0 ? "" : this.#init.explain();
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
    if (container.state.kind !== "running" || !this.#isStarted(container)) return false;
    return container.spec.readinessProbe === undefined || this.#probe(container, "readiness")?.ok === true;
  }

  /** Why a container is not ready, in words; "" if it is. */
  explain(container: Container): string {
    const { state } = container;
    if (state.kind === "waiting") return state.reason;
    if (state.kind === "exited") return `ended with ${state.reason}`;
    if (this.isReady(container)) return "";
    const role = this.#isStarted(container) ? "readiness" : "startup";
    return this.#probe(container, role)?.message || `its ${role} probe has not answered yet`;
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

  /** The other probes wait for the startup probe. */
  probed(): readonly ProbedContainer[] {
    return [...this.#init.all, ...this.#containers].flatMap((container) => {
      const { startupProbe, readinessProbe, livenessProbe } = container.spec;
      const command = container.joinCommand();
      if (command === undefined || this.stopping) return [];
      const probes = this.#isStarted(container)
        ? ([
            ["readiness", readinessProbe],
            ["liveness", livenessProbe],
          ] as const)
        : ([["startup", startupProbe]] as const);
      const [key, address] = [this.#key(container), this.addresses.ipv4];
      return probes.flatMap(([role, probe]) =>
        probe === undefined ? [] : [{ key, role, address, probe, join: command }],
      );
    });
  }

  setProbe(key: string, role: ProbeRole, result: ProbeResult): void {
    const all = [...this.#init.all, ...this.#containers];
    const container = all.find((each) => this.#key(each) === key);
    if (container === undefined) return;
    this.#probes.set(`${key} ${role}`, result);
    if (result.exhausted && role !== "readiness") container.restart(`its ${role} probe failed: ${result.message}`);
    this.#onChange();
  }

  /** ConfigMaps or Secrets have changed. */
  refreshVolumes(): void {
    this.staleVolumes = this.#volumes?.refresh() ?? "";
  }

  #probe(container: Container, role: ProbeRole): ProbeResult | undefined {
    return this.#probes.get(`${this.#key(container)} ${role}`);
  }

  #isStarted(container: Container): boolean {
    return container.spec.startupProbe === undefined || this.#probe(container, "startup")?.ok === true;
  }

  async #start(): Promise<void> {
    const { uid, node, addresses, plan } = this;
    await createPodNetwork(this.#paths, this.netns, node, addresses, `p${shortUid(uid)}`);
    const etc = writeEtcFiles(this.#paths, this);
    mkdirSync(podLogDir(this.#paths, uid), { recursive: true });
    if (this.stopping) return;
    const folder = join(this.#paths.root, "pods", uid, "volumes");
    const claims = join(this.#paths.root, "claims", plan.namespace);
    const volumes = new Volumes(folder, claims, plan.spec.volumes, this.#lookup);
    this.#volumes = volumes;
    const container = (spec: ContainerSpec, restartPolicy: RestartPolicy): Container =>
      new Container({
        spec,
        place: { cgroup: join(this.cgroup, spec.name), netns: this.netnsPath, etc, hostname: plan.hostname },
        facts: podFacts(this),
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

  /** Init containers first; then those of the application, all at once. */
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
    const all = [...this.#init.all, ...this.#containers];
    await Promise.all(all.map((container) => container.stop(graceMs)));
    await removeCgroup(this.cgroup);
    await removeNetns(this.#paths, this.netns);
    rmSync(join(this.#paths.root, "pods", this.uid), { recursive: true, force: true });
  }

  #key(container: Container): string {
    return `${this.uid}/${container.spec.name}/${container.restarts}`;
  }
}

/** Long enough to tell the pods of a machine apart, short enough for a link's name. */
export function shortUid(uid: string): string {
  return uid.replaceAll("-", "").slice(0, 12);
}
