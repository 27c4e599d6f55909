import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { describePrivileged } from "../support/privileges.ts";
import { askUnix } from "../../agent/lib/unix-http.ts";
import type { AgentStatus } from "../../agent/node/agent-status.ts";
import { DIRECT_PORTS_OF_A_POD } from "../../agent/envoy/ads/direct-clusters.ts";
import { labStateDir, MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { flood, residentMegabytes } from "./flood.ts";

/** What each listener of a pod takes, in place of 4,096: a small flood then does what a large one does. */
const LIMIT = 600;
const FLOOD = 1500;
/** More than `DIRECT_PORTS_OF_A_POD`. */
const PORTS = 600;

describePrivileged("a pod that opens more connections than anyone needs", () => {
  const lab = new MeshLab("conn", { AMBIT_POD_CONNECTIONS: String(LIMIT) });
  let status: LabStatus;
  let before = { envoy: 0, agent: 0 };
  const address = (name: string): string => status.pods.find((each) => each.name === name)?.ip ?? "";
  const memory = async (): Promise<{ readonly envoy: number; readonly agent: number }> => {
    const node = (await lab.processes()).find(({ name }) => name === "node-1");
    return { envoy: residentMegabytes(node?.envoyPid ?? 0), agent: residentMegabytes(node?.agentPid ?? 0) };
  };
  const clusters = async (): Promise<number> =>
    Number((await lab.askEnvoy("node-1", "/stats?filter=cluster_manager.active_clusters")).split(": ")[1]);
  const statistics = async (): Promise<number> => (await lab.askEnvoy("node-1", "/stats")).split("\n").length;

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("evil", true),
      namespace("outside", false),
      pod("shop", "client", "node-1"),
      pod("shop", "near", "node-1", { server: true }),
      pod("shop", "far", "node-2", { server: true }),
      pod("evil", "mallory", "node-1"),
      pod("evil", "target", "node-1", { server: true }),
      pod("outside", "stranger", "node-1"),
      service("shop", "near", { app: "near" }),
      service("shop", "far", { app: "far" }),
      service("evil", "target", { app: "target" }),
    ]);
    await lab.up();
    status = await lab.status();
    await othersCall();
    before = await memory();
  });
  afterAll(() => lab.down());

  /** Pods of another tenant on the node call, and are called, also from another node. None of the calls fails. */
  async function othersCall(): Promise<void> {
    const answers = await Promise.all([
      lab.calls("shop/client", "http://near/", 10),
      lab.calls("shop/client", "http://far/", 10),
      lab.calls("shop/far", "http://near/", 10),
    ]);
    expect(answers.flat().map((answer) => answer.status)).toEqual(answers.flat().map(() => 200));
  }

  async function isBounded(): Promise<void> {
    await othersCall();
    const now = await memory();
    expect(now.envoy).toBeLessThan(2 * before.envoy);
    expect(now.agent).toBeLessThan(2 * before.agent);
  }

  it("is cut off at half of the limit if it is a stranger: the mesh's own callers still reach its victim", async () => {
    const { closed, opened } = await flood(lab, "outside/stranger", ["half", address("near"), 8080, FLOOD], isBounded);
    expect(opened - closed).toBeLessThanOrEqual(LIMIT / 2);
  });

  it("is cut off if it says nothing", async () => {
    const { closed, opened } = await flood(
      lab,
      "outside/stranger",
      ["silent", address("near"), 8080, FLOOD],
      isBounded,
    );
    expect(opened - closed).toBeLessThanOrEqual(LIMIT / 2);
  });

  it("fills its own listener alone if it is in the mesh", async () => {
    for (const host of ["target", address("target")]) {
      const port = host === "target" ? 80 : 8080;
      const { closed, opened } = await flood(lab, "evil/mallory", ["half", host, port, FLOOD], isBounded);
      expect(opened - closed).toBeLessThanOrEqual(LIMIT);
    }
  });

  it("shows in the node's status and metrics", async () => {
    const socket = join(labStateDir(lab.name), "nodes", "node-1", "admin.sock");
    const reached = async (): Promise<readonly string[]> => {
      const { limits = [] } = JSON.parse((await askUnix(socket, "/status")).body) as AgentStatus;
      return limits.map(({ limit }) => limit);
    };
    await lab.until("both limits are in the status", async () => {
      const names = await reached();
      return names.includes("strangers") && names.includes("pod-connections");
    });
    expect((await askUnix(socket, "/metrics")).body).toMatch(/^ambit_limit_reached_total\{limit="strangers"\} [1-9]/mu);
  });

  it("gets no cluster for each of many ports that it dials", async () => {
    await flood(lab, "evil/mallory", ["ports", address("target"), 20_000, PORTS], isBounded);
    await lab.until("Envoy has few clusters", async () => (await clusters()) < DIRECT_PORTS_OF_A_POD + 50);
    expect((await lab.call("evil/mallory", `http://${address("target")}:8080/`)).status).toBe(200);
  });

  it("gains nothing by many server names in TLS", async () => {
    const known = await statistics();
    await flood(lab, "outside/stranger", ["names", address("near"), 8080, 500], isBounded);
    expect(await statistics()).toBeLessThan(known + 100);
  });

  it("is cut off if the headers of its HTTP/2 request never end, or if it resets what it has just asked", async () => {
    for (const kind of ["continuation", "reset"] as const) {
      const { closed } = await flood(lab, "outside/stranger", [kind, address("near"), 8081, 3000], isBounded);
      expect(closed).toBe(1);
    }
  });
});
