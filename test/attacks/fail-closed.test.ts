import { join } from "node:path";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { askUnix } from "../../agent/lib/unix-http.ts";
import type { AgentStatus, PodStatus } from "../../agent/node/agent-status.ts";
import { APPS, labStateDir, MeshLab, namespace, pod } from "../mesh/mesh-lab.ts";
import { describePrivileged } from "../support/privileges.ts";

const NAMES = ["strict", "guarded"];

/** STRICT takes no plaintext, and the policy lets nobody in. */
const PROTECTION = [
  {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "strict", namespace: "shop" },
    spec: { selector: { matchLabels: { app: "strict" } }, mtls: { mode: "STRICT" } },
  },
  {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "guarded", namespace: "shop" },
    spec: { selector: { matchLabels: { app: "guarded" } }, action: "ALLOW", rules: [] },
  },
];
const servers = NAMES.map((name) => pod("shop", name, "node-1", { server: true }));

interface Hammered {
  readonly answers: Readonly<Record<string, number>>;
  readonly tries: number;
}

describePrivileged("a protected pod that is made anew", () => {
  const lab = new MeshLab("closed", { AMBIT_ENVOY_PATIENCE: "60" });
  /** The addresses that the pods of node-1 get next. */
  let next: readonly string[] = [];
  let hammers: readonly ChildProcess[] = [];
  /** What each of them says, line by line: that it has begun, and what came of it. */
  let said: readonly AsyncIterator<string>[] = [];

  const agent = async (): Promise<AgentStatus> => {
    const socket = join(labStateDir(lab.name), "nodes/node-1/admin.sock");
    return JSON.parse((await askUnix(socket, "/status", { timeoutMs: 5_000 })).body) as AgentStatus;
  };
  const podStatus = async (name: string): Promise<PodStatus | undefined> =>
    (await agent()).pods.find((each) => each.name === name);
  const remove = async (): Promise<void> => {
    lab.remove("servers.yaml");
    await lab.until(
      "the pods are gone",
      async () => !(await lab.status()).pods.some(({ name }) => NAMES.includes(name)),
    );
  };
  /** Callers outside the mesh, on both nodes, dial the addresses from before they exist. */
  const hammer = async (): Promise<void> => {
    hammers = ["outside/near", "outside/far"].map((from) =>
      lab.start(from, process.execPath, join(APPS, "hammer.mjs"), ...next),
    );
    said = hammers.map(({ stdout }) => {
      if (stdout === null) throw new Error("its output is not read");
      return createInterface({ input: stdout })[Symbol.asyncIterator]();
    });
    await Promise.all(said.map((lines) => lines.next()));
  };
  const finish = (): Promise<readonly Hammered[]> =>
    Promise.all(
      hammers.map(async (each, index) => {
        each.stdin?.end();
        return JSON.parse(String((await said[index]?.next())?.value)) as Hammered;
      }),
    );
  const noteNext = async (): Promise<void> => {
    const used = (await lab.status()).pods.filter(({ node }) => node === "node-1");
    const last = Math.max(...used.map(({ ip }) => Number(ip.split(".")[3])));
    next = [last + 1, last + 2].map((number) => `10.244.1.${number}`);
  };

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("outside", false),
      pod("outside", "near", "node-1"),
      pod("outside", "far", "node-2"),
      ...PROTECTION,
    ]);
    lab.write("servers.yaml", servers);
    await lab.up();
  });
  afterAll(async () => {
    for (const each of hammers) each.kill();
    await lab.down();
  });

  it("answers nobody past its policies, from its first process on", async () => {
    await noteNext();
    await remove();
    await hammer();
    lab.write("servers.yaml", servers);
    await lab.until("the pods are in the mesh and ready", async () => {
      const pods = (await lab.status()).pods.filter(({ name }) => NAMES.includes(name));
      return pods.length === 2 && pods.every(({ enrolled, ready, ip }) => enrolled && ready && next.includes(ip));
    });
    for (const { answers, tries } of await finish()) {
      expect(tries).toBeGreaterThan(10);
      expect(Object.keys(answers)).not.toContain("200");
      // The policy of the one pod answers.
      expect(Object.keys(answers)).toContain("403");
    }
  });

  it("refuses connections while Envoy is away, and its kubelet's probes pass", async () => {
    const { envoy } = await agent();
    if (envoy.pid === undefined) throw new Error("Envoy does not run");
    await noteNext();
    await remove();
    // It takes no configuration, so that no listener is made.
    process.kill(envoy.pid, "SIGSTOP");
    await hammer();
    lab.write("servers.yaml", servers);
    await lab.until("the pods refuse", async () => {
      const pods = await Promise.all(NAMES.map(podStatus));
      return pods.every((each) => each?.refusing === "refuse");
    });
    await lab.until("the probes pass", async () => {
      const pods = (await lab.status()).pods.filter(({ name }) => NAMES.includes(name));
      return pods.length === 2 && pods.every(({ ready, ip }) => ready && next.includes(ip));
    });
    expect((await podStatus("strict"))?.reason).toMatch(/connections to it are refused/u);
    const socket = join(labStateDir(lab.name), "nodes/node-1/admin.sock");
    expect((await askUnix(socket, "/metrics", { timeoutMs: 30_000 })).body).toContain(
      'ambit_pods_refusing{namespace="shop"} 2',
    );
    await lab.until("both callers were refused since", async () => {
      const answered = await Promise.all(next.map((ip) => lab.call("outside/far", `http://${ip}:8080/`)));
      return answered.every(({ status, code }) => status === 0 && code === "ECONNREFUSED");
    });
    for (const each of await finish()) expect(Object.keys(each.answers)).not.toContain("200");
    process.kill(envoy.pid, "SIGCONT");
  });
});
