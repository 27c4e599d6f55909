import type { ProbedContainer, ProbeResult, ProbeRole } from "../kubelet/kubelet-protocol.ts";
import { describeState, type Container } from "./container.ts";

/** The last results of a pod's probes, and what follows from them: has a container started, and is it ready? */
export class ProbeResults {
  readonly #podUid: string;
  readonly #address: string;
  /** By the key of a container's start and the probe's role. */
  readonly #results = new Map<string, ProbeResult>();

  /** `address`: where the pod's containers listen. */
  constructor(podUid: string, address: string) {
    this.#podUid = podUid;
    this.#address = address;
  }

  isReady(container: Container): boolean {
    if (container.state.kind !== "running" || !this.#isStarted(container)) return false;
    return container.spec.readinessProbe === undefined || this.#result(container, "readiness")?.ok === true;
  }

  /** Why a container is not ready, in words; "" if it is. */
  explain(container: Container): string {
    if (container.state.kind !== "running") return describeState(container.state);
    if (this.isReady(container)) return "";
    const role = this.#isStarted(container) ? "readiness" : "startup";
    return this.#result(container, role)?.message || `its ${role} probe has not answered yet`;
  }

  /** What the kubelet probes now. Readiness and liveness probes wait for the startup probe. */
  probed(containers: readonly Container[]): readonly ProbedContainer[] {
    return containers.flatMap((container) => {
      const { startupProbe, readinessProbe, livenessProbe } = container.spec;
      const join = container.joinCommand();
      if (join === undefined) return [];
      const probes = this.#isStarted(container)
        ? ([
            ["readiness", readinessProbe],
            ["liveness", livenessProbe],
          ] as const)
        : ([["startup", startupProbe]] as const);
      const [key, address] = [this.#key(container), this.#address];
      return probes.flatMap(([role, probe]) => (probe === undefined ? [] : [{ key, role, address, probe, join }]));
    });
  }

  /** Stores a result, and restarts the container if a liveness or startup probe has failed. False for an unknown container. */
  take(containers: readonly Container[], key: string, role: ProbeRole, result: ProbeResult): boolean {
    const container = containers.find((each) => this.#key(each) === key);
    if (container === undefined) return false;
    this.#results.set(`${key} ${role}`, result);
    if (result.exhausted && role !== "readiness") container.restart(`its ${role} probe failed: ${result.message}`);
    return true;
  }

  #isStarted(container: Container): boolean {
    return container.spec.startupProbe === undefined || this.#result(container, "startup")?.ok === true;
  }

  #result(container: Container, role: ProbeRole): ProbeResult | undefined {
    return this.#results.get(`${this.#key(container)} ${role}`);
  }

  /** New with each start of the container: results of an earlier start do not count. */
  #key(container: Container): string {
    return `${this.#podUid}/${container.spec.name}/${container.restarts}`;
  }
}
