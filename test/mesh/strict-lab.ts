import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { nodeCgroups, killCgroup } from "../../deploy/lab/machine/cgroup.ts";
import { APPS, MeshLab, namespace, service } from "./mesh-lab.ts";
import { httpGet, WALKER, Walker, type Outcome } from "./walker.ts";

/** Where a walker is: a pod, or `node-N`, `node-N/hostNetwork`, `node-N/kubelet`. */
export type Place =
  | "shop/alice"
  | "shop/alice-near"
  | "shop/strict"
  | "shop/mallory"
  | "shop/mallory-near"
  | "outside/stranger"
  | "outside/stranger-near"
  | "node-1"
  | "node-2"
  | "node-2/hostNetwork"
  | "node-2/kubelet";

/** What a server of `apps/counted.mjs` has seen. */
export interface Seen {
  readonly connections: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly requests: Readonly<Record<string, number>>;
}

/** HTTP, TCP, and a port that no Service names. */
export const PORTS = { http: 8080, tcp: 9000, unnamed: 7000, probe: 8081 } as const;

/**
 * Two nodes; on the second one `guarded` and `strict`, both STRICT, and `guarded` for alice's GET /open only. alice and mallory
 * are enrolled, on either node; strangers are not, nor is `plain`, which has what the others have and is not guarded.
 */
export class StrictLab {
  readonly lab = new MeshLab("strict");
  status: Pick<LabStatus, "nodes" | "pods" | "services"> = { nodes: [], pods: [], services: [] };
  readonly #walkers = new Map<string, Walker>();
  readonly #cgroup: string;

  constructor() {
    this.#cgroup = join(nodeCgroups(this.lab.name, "node-2").pods, "host-network");
  }

  async up(): Promise<void> {
    this.lab.write("all.yaml", MANIFESTS);
    await this.lab.up();
    this.status = await this.lab.status();
  }

  async down(): Promise<void> {
    for (const walker of this.#walkers.values()) walker.stop();
    await killCgroup(this.#cgroup);
    try {
      rmdirSync(this.#cgroup);
    } catch {
      // Never made.
    }
    await this.lab.down();
  }

  pod(name: string): { readonly ip: string; readonly ip6: string; readonly netns: string } {
    const { ip, ip6, netns } = this.status.pods.find((each) => each.name === name) ?? {};
    if (ip === undefined || netns === undefined || typeof ip6 !== "string") throw new Error(`no pod ${name}`);
    return { ip, ip6, netns };
  }

  /** A pod that has been in the mesh, and is no more: the proxy's listeners in it stay. */
  async left(name: string): Promise<void> {
    const { metadata, ...rest } = pod("outside", name, "node-2", name);
    const follows = async (mode: "ambient" | "none"): Promise<void> => {
      const labels = { ...metadata.labels, "ambit.dev/dataplane-mode": mode };
      this.lab.write(`${name}.yaml`, [{ ...rest, metadata: { ...metadata, labels } }]);
      await this.lab.until(`the label of ${name} says ${mode}`, async () => {
        this.status = await this.lab.status();
        return this.status.pods.find((each) => each.name === name)?.enrolled === (mode === "ambient");
      });
    };
    await follows("ambient");
    await follows("none");
  }

  /** Where a Service is called. */
  service(name: string): string {
    return this.status.services.find((each) => each.name === name)?.clusterIP ?? "";
  }

  at(place: Place): Walker {
    return this.#walker(place, () => this.#start(place));
  }

  /** In a pod's network namespace, but none of its processes: no program at connect sees what it dials. */
  inside(name: string): Walker {
    return this.#walker(`in ${name}`, () => spawn("nsenter", [`--net=${this.pod(name).netns}`, ...WALKER]));
  }

  /** Runs a shell script in a network namespace: a pod's, or `node-N`'s. */
  run(place: string, script: string): string {
    const netns = place.startsWith("node-") ? this.#netnsOf(place) : this.pod(place).netns;
    return execFileSync("nsenter", [`--net=${netns}`, "sh", "-ec", script], { encoding: "utf8" });
  }

  /** What has reached a server. Each of its ports answers after it has taken whatever came before. */
  async seen(name: string): Promise<Seen> {
    const ask = (port: number, send: string): Promise<Outcome> =>
      this.inside(name).try({ to: ["127.0.0.1", port], send });
    await Promise.all([
      ...[PORTS.http, PORTS.probe].map((port) => ask(port, httpGet("/seen"))),
      ask(PORTS.tcp, "fence\n"),
    ]);
    const { answer } = await ask(PORTS.unnamed, httpGet("/seen"));
    const { connections, requests } = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)) as Seen;
    // The kubelet goes on with its probes.
    return { connections: { ...connections, [PORTS.probe]: {} }, requests };
  }

  #walker(key: string, start: () => ReturnType<typeof spawn>): Walker {
    const known = this.#walkers.get(key) ?? new Walker(start());
    this.#walkers.set(key, known);
    return known;
  }

  #netnsOf(node: string): string {
    return `/run/netns/ambit-${this.lab.name}-${node}`;
  }

  #start(place: Place): ReturnType<typeof spawn> {
    const [first = "", second = ""] = place.split("/");
    if (!first.startsWith("node-")) return this.lab.start(place, ...WALKER);
    const enter = ["nsenter", `--net=${this.#netnsOf(first)}`, ...WALKER];
    if (second === "") return spawn("nsenter", enter.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
    const cgroup = second === "kubelet" ? nodeCgroups(this.lab.name, first).kubelet : this.#cgroup;
    mkdirSync(cgroup, { recursive: true });
    const enterCgroup = ["-ec", 'echo 0 > "$1/cgroup.procs"; shift; exec "$@"', "sh", cgroup];
    return spawn("sh", [...enterCgroup, ...enter], { stdio: ["pipe", "pipe", "inherit"] });
  }
}

function container(command: readonly string[], name: string, server: boolean): unknown {
  const probe = { tcpSocket: { port: PORTS.probe }, periodSeconds: 1 };
  return {
    name: "app",
    image: "none",
    command,
    env: [{ name: "NAME", value: name }],
    ...(server ? { readinessProbe: probe } : {}),
    securityContext: { capabilities: { add: ["NET_ADMIN"] } },
  };
}

function pod(ns: string, name: string, node: string, account: string) {
  const server = ["guarded", "strict", "plain"].includes(name);
  const command = server ? [process.execPath, join(APPS, "counted.mjs")] : ["sleep", "infinity"];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: ns, labels: { app: name } },
    spec: { nodeName: node, serviceAccountName: account, containers: [container(command, name, server)] },
  };
}

const MANIFESTS: readonly unknown[] = [
  namespace("shop", true),
  namespace("outside", false),
  pod("shop", "guarded", "node-2", "guarded"),
  pod("shop", "strict", "node-2", "strict"),
  pod("outside", "plain", "node-2", "plain"),
  pod("shop", "alice", "node-1", "alice"),
  pod("shop", "alice-near", "node-2", "alice"),
  pod("shop", "mallory", "node-1", "mallory"),
  pod("shop", "mallory-near", "node-2", "mallory"),
  pod("outside", "stranger", "node-1", "stranger"),
  pod("outside", "stranger-near", "node-2", "stranger"),
  service("shop", "guarded", { app: "guarded" }),
  service("shop", "strict", { app: "strict" }),
  {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "default", namespace: "shop" },
    spec: { mtls: { mode: "STRICT" } },
  },
  {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "mallory", namespace: "shop" },
    spec: { selector: { matchLabels: { app: "mallory-near" } }, mtls: { mode: "PERMISSIVE" } },
  },
  {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "only-alice", namespace: "shop" },
    spec: {
      selector: { matchLabels: { app: "guarded" } },
      rules: [
        {
          from: [{ source: { principals: ["cluster.local/ns/shop/sa/alice"] } }],
          to: [{ operation: { methods: ["GET"], paths: ["/open*"] } }],
        },
      ],
    },
  },
];
