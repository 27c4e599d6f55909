import { createInterface } from "node:readline";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { askUnix } from "../../agent/lib/unix-http.ts";
import type { AgentStatus } from "../../agent/node/agent-status.ts";
import { APPS, labStateDir, MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { describePrivileged } from "../support/privileges.ts";
import { forgetPeak, residentMegabytes } from "./flood.ts";

/** In place of a quarter of the machine's memory. */
const HEAP_MIB = 256;
const CONNECTIONS = 150;

/** Takes requests, and reads none of their bodies. */
function stuckServer(): unknown {
  const command = [process.execPath, join(APPS, "stuck.mjs"), "serve"];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "stuck", namespace: "evil", labels: { app: "stuck" } },
    spec: { nodeName: "node-1", containers: [{ name: "app", image: "none", command }] },
  };
}

describePrivileged("bodies over HTTP/2 that nobody reads", () => {
  const lab = new MeshLab("heap", { AMBIT_ENVOY_HEAP: String(HEAP_MIB) });
  const admin = (): string => join(labStateDir(lab.name), "nodes", "node-1", "admin.sock");

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("evil", true),
      pod("shop", "client", "node-1"),
      pod("shop", "web", "node-1", { server: true }),
      service("shop", "web", { app: "web" }),
      pod("evil", "mallory", "node-1"),
      stuckServer(),
      service("evil", "stuck", { app: "stuck" }),
    ]);
    await lab.up();
    await lab.until("the other tenant is served", async () => {
      return (await lab.call("shop/client", "http://web/")).status === 200;
    });
  });
  afterAll(() => lab.down());

  it("are reset, the largest first, and nobody else notices", async () => {
    const [node] = await lab.processes();
    const envoy = node?.envoyPid ?? 0;
    forgetPeak(envoy);
    const args = [join(APPS, "stuck.mjs"), "stuck", "80", String(CONNECTIONS)];
    const child = lab.start("evil/mallory", process.execPath, ...args);
    try {
      if (child.stdout === null) throw new Error("the attack has no output");
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe("sent");
      const answers = await lab.calls("shop/client", "http://web/", 30);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      child.stdin?.end();
      const { ended } = JSON.parse(String((await lines.next()).value)) as { readonly ended: number };
      expect(ended).toBeGreaterThan(CONNECTIONS);
    } finally {
      child.kill();
    }
    // All of them would take four times the limit.
    expect(residentMegabytes(envoy, "peak")).toBeLessThan(3 * HEAP_MIB);
    await lab.until("the node's status tells of it", async () => {
      const { limits = [] } = JSON.parse((await askUnix(admin(), "/status")).body) as AgentStatus;
      return limits.some(({ limit }) => limit === "heap");
    });
  });
});
