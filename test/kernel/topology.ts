import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capture } from "../../agent/kernel/capture.ts";
import { exec } from "../../agent/lib/exec.ts";
import type { KernelPod } from "../../agent/model/kernel-pod.ts";
import { effectsOf, type MeshPhase, type PodEffects, type PodState } from "../../agent/model/pod-state.ts";
import { type Line, Peer, type Place } from "./process.ts";

export interface TestPod extends Place {
  readonly uid: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

const LABELLED = { since: 0, strict: false } as const;
const STATES: Readonly<Record<MeshPhase, PodState>> = {
  outside: { phase: "outside" },
  waiting: { phase: "waiting", ...LABELLED, inbound: "open", listeners: "none" },
  guarded: { phase: "guarded", ...LABELLED, inbound: "held" },
  joining: { phase: "joining", ...LABELLED, inbound: "open", stood: false, servedAt: undefined },
  captured: { phase: "captured", ...LABELLED, announced: undefined, followedAt: undefined },
  leaving: {
    phase: "leaving",
    since: 0,
    step: "softening",
    outbound: "captured",
    servedAt: undefined,
    withdrawn: undefined,
    followedAt: undefined,
  },
  left: { phase: "left", listeners: "all" },
};

/** Brings the pod into the phase. */
export function put(
  capture: Capture,
  pod: TestPod,
  phase: MeshPhase,
  probePorts: readonly number[] = [],
  { otherwise = "open", ...effects }: Partial<PodEffects> & Partial<Pick<KernelPod, "otherwise">> = {},
): void {
  capture.setPod({
    sandbox: capture.sandboxOf(pod.uid, pod.netns),
    addresses: [pod.ipv4, pod.ipv6],
    probePorts,
    phase,
    effects: { ...effectsOf(STATES[phase]), ...effects },
    otherwise,
  });
}

/** The cgroup v2 mount: on hybrid machines it lies below the other one. */
const CGROUP2 = existsSync("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";

let serial = 0;

/** A node on this machine: a bridge in a network namespace of its own, pods on it, and cgroups. */
export class Topology {
  readonly name = `amb-bpf-${process.pid}-${serial++}`;
  readonly cgroup = join(CGROUP2, this.name);
  readonly podsCgroup = join(this.cgroup, "pods");
  readonly proxyCgroup = join(this.cgroup, "proxy");
  readonly kubeletCgroup = join(this.cgroup, "kubelet");
  readonly pinDir = mkdtempSync(join(tmpdir(), `${this.name}-`));
  readonly #peers: Peer[] = [];
  readonly #namespaces: string[] = [];

  async up(): Promise<this> {
    for (const path of [this.podsCgroup, this.proxyCgroup, this.kubeletCgroup]) mkdirSync(path, { recursive: true });
    await this.#namespace("node");
    await this.#ip("node", "link add br0 type bridge");
    await this.#ip("node", "addr add 10.77.0.1/24 dev br0");
    await this.#ip("node", "addr add fd77::1/64 dev br0 nodad");
    await this.#ip("node", "link set br0 up");
    return this;
  }

  /** A pod at 10.77.0.`number` and fd77::`number`. */
  async pod(name: string, number: number): Promise<TestPod> {
    const netns = await this.#namespace(name);
    const ipv4 = `10.77.0.${number}`;
    const ipv6 = `fd77::${number}`;
    await exec(
      "ip",
      `link add eth0 netns ${this.name}-${name} type veth peer name v${number} netns ${this.name}-node`.split(" "),
    );
    await this.#ip(name, `addr add ${ipv4}/24 dev eth0`);
    await this.#ip(name, `addr add ${ipv6}/64 dev eth0 nodad`);
    await this.#ip(name, "link set eth0 up");
    await this.#ip("node", `link set v${number} master br0 up`);
    await this.#ip(name, "route add default via 10.77.0.1");
    await this.#ip(name, "-6 route add default via fd77::1");
    const cgroup = join(this.podsCgroup, name);
    mkdirSync(cgroup);
    return { uid: `uid-${name}`, netns, cgroup, ipv4, ipv6 };
  }

  get node(): string {
    return this.#path("node");
  }

  get proxy(): Place {
    return { netns: this.node, cgroup: this.proxyCgroup };
  }

  get kubelet(): Place {
    return { netns: this.node, cgroup: this.kubeletCgroup };
  }

  /** Starts a peer; it ends with the topology. */
  start(place: Place, args: readonly (string | number)[], wrap: readonly string[] = []): Peer {
    const peer = new Peer(place, args, wrap);
    this.#peers.push(peer);
    return peer;
  }

  /** Starts a server and waits until it listens. */
  async serve(place: Place, ...args: readonly (string | number)[]): Promise<Peer> {
    const peer = this.start(place, args);
    await peer.line();
    return peer;
  }

  /** The first line that a peer says; then it ends. */
  async ask(place: Place, args: readonly (string | number)[], wrap: readonly string[] = []): Promise<Line> {
    const peer = this.start(place, args, wrap);
    const line = await peer.line();
    await peer.end();
    return line;
  }

  /** Runs `ip` in a namespace of ours; what it wrote. */
  #ip(name: string, args: string): Promise<string> {
    return exec("ip", ["-n", `${this.name}-${name}`, ...args.split(" ")]);
  }

  async #namespace(name: string): Promise<string> {
    await exec("ip", ["netns", "add", `${this.name}-${name}`]);
    this.#namespaces.push(name);
    await this.#ip(name, "link set lo up");
    return this.#path(name);
  }

  #path(name: string): string {
    return `/run/netns/${this.name}-${name}`;
  }

  /** Ends every process in the cgroups and removes everything. */
  async down(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.end()));
    for (const name of this.#namespaces) await exec("ip", ["netns", "del", `${this.name}-${name}`]);
    removeCgroup(this.cgroup);
    rmSync(this.pinDir, { recursive: true, force: true });
  }
}

function removeCgroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  }
  const left = readFileSync(join(path, "cgroup.procs"), "utf8");
  if (left !== "") throw new Error(`processes ${left} are left in ${path}`);
  rmdirSync(path);
}
