import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DnsService } from "../dns/dns-zone.ts";
import type { FromKubelet, ProbedContainer, ProbeResult, ProbeRole, ToKubelet } from "../kubelet/kubelet-protocol.ts";
import { createNodeCgroups, nodeCgroups } from "../machine/cgroup.ts";
import { nodeStateDir, type LabPaths } from "../machine/lab-paths.ts";
import { selfCommand } from "../machine/self-command.ts";
import { hasIPv6, nodeAddresses, PodAddressPool } from "../network/address-plan.ts";
import { createNodeNetwork } from "../network/links.ts";
import { netnsName } from "../network/netns.ts";
import { AgentProcess } from "./agent-process.ts";
import type { AuthorityProcess } from "./authority-process.ts";
import { HelperProcess } from "./helper-process.ts";
import { MetricsForwarder } from "./metrics-forwarder.ts";
import type { NodePlace } from "./node-place.ts";

export interface LabNodeEvents {
  readonly onChange: () => void;
  readonly onProbe: (key: string, role: ProbeRole, result: ProbeResult) => void;
}

/** A node of the lab: its network, its kubelet, its agent. */
export class LabNode {
  readonly place: NodePlace;
  readonly pool: PodAddressPool;
  /** Whether its name server answers. */
  serving = false;
  /** Why its kubelet does not work, if the kubelet said so. */
  failure = "";
  agent: AgentProcess | undefined;
  metrics: MetricsForwarder | undefined;
  readonly #paths: LabPaths;
  readonly #number: number;
  readonly #events: LabNodeEvents;
  #kubelet: HelperProcess | undefined;
  #probes: ToKubelet = { type: "probes", containers: [] };
  #dns: ToKubelet = { type: "dns", services: [] };

  constructor(paths: LabPaths, name: string, number: number, events: LabNodeEvents) {
    this.#paths = paths;
    this.#number = number;
    this.#events = events;
    this.pool = new PodAddressPool(number);
    this.place = {
      name,
      netns: netnsName(paths.name, name),
      addresses: nodeAddresses(number),
      cgroups: nodeCgroups(paths.name, name),
    };
  }

  get name(): string {
    return this.place.name;
  }

  async createNetwork(): Promise<void> {
    createNodeCgroups(this.place.cgroups);
    await createNodeNetwork(this.#paths, this.place.netns, this.#number);
  }

  startKubelet(): void {
    const { gateway } = this.place.addresses;
    const folder = nodeStateDir(this.#paths, this.name);
    mkdirSync(folder, { recursive: true });
    const addresses = hasIPv6() ? [gateway.ipv4, gateway.ipv6] : [gateway.ipv4];
    this.#kubelet = new HelperProcess({
      command: selfCommand("lab", "kubelet", ...addresses),
      netns: this.place.netns,
      cgroup: this.place.cgroups.kubelet,
      logFile: join(folder, "kubelet.log"),
      onLine: (line) => this.#receive(line),
      onStart: () => setImmediate(() => this.#sendAll()),
      onEnd: (reason) => {
        this.serving = false;
        this.failure = `its kubelet ended with ${reason}`;
        this.#events.onChange();
      },
    });
  }

  async startAgent(manifests: string, authority: AuthorityProcess): Promise<void> {
    const access = await authority.admit(this.name);
    this.agent = new AgentProcess(this.#paths, this.place, manifests, access, this.#events.onChange);
    this.metrics = await MetricsForwarder.open(this.agent.socket);
  }

  setProbes(containers: readonly ProbedContainer[]): void {
    const before = this.#probes;
    this.#probes = { type: "probes", containers };
    if (JSON.stringify(before) !== JSON.stringify(this.#probes)) this.#kubelet?.send(JSON.stringify(this.#probes));
  }

  setDns(services: readonly DnsService[]): void {
    const before = this.#dns;
    this.#dns = { type: "dns", services };
    if (JSON.stringify(before) !== JSON.stringify(this.#dns)) this.#kubelet?.send(JSON.stringify(this.#dns));
  }

  async stop(): Promise<void> {
    this.metrics?.close();
    await Promise.all([this.agent?.stop(), this.#kubelet?.stop(500)]);
  }

  #sendAll(): void {
    this.#kubelet?.send(JSON.stringify(this.#dns));
    this.#kubelet?.send(JSON.stringify(this.#probes));
  }

  #receive(line: string): void {
    const message = JSON.parse(line) as FromKubelet;
    if (message.type === "probe") {
      this.#events.onProbe(message.key, message.role, message);
      return;
    }
    this.serving = message.type === "serving";
    this.failure = message.type === "failed" ? message.message : "";
    this.#events.onChange();
  }
}
