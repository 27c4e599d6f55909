import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { APPS, MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { describePrivileged } from "../support/privileges.ts";

const SECONDS = "2";

describePrivileged("a caller that does not go on", () => {
  const lab = new MeshLab("wait", {
    AMBIT_FIRST_BYTE_TIME: SECONDS,
    AMBIT_HANDSHAKE_TIME: SECONDS,
    AMBIT_HEADER_TIME: SECONDS,
  });
  let address = (_name: string): string => "";

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("outside", false),
      pod("shop", "web", "node-1", { server: true }),
      pod("shop", "strict", "node-1", { server: true }),
      pod("outside", "stranger", "node-1"),
      service("shop", "web", { app: "web" }),
      service("shop", "strict", { app: "strict" }),
      {
        apiVersion: "security.istio.io/v1",
        kind: "PeerAuthentication",
        metadata: { name: "strict", namespace: "shop" },
        spec: { selector: { matchLabels: { app: "strict" } }, mtls: { mode: "STRICT" } },
      },
    ]);
    await lab.up();
    const { pods } = await lab.status();
    address = (wanted) => pods.find(({ name }) => name === wanted)?.ip ?? "";
    await lab.until("a stranger is served", async () => {
      return (await lab.call("outside/stranger", `http://${address("web")}:8080/`)).status === 200;
    });
  });
  afterAll(() => lab.down());

  it("is ended, unless its silence is in order: in a pool, in the middle of a body, before a server that speaks first", async () => {
    const script = join(APPS, "waits.mjs");
    const { stdout } = await lab.exec("outside/stranger", process.execPath, script, address("web"), address("strict"));
    expect(JSON.parse(stdout)).toEqual({
      ended: { silent: true, half: true, handshake: true },
      said: "HTTP/1.1 408 Request Timeout",
      used: { pooled: "HTTP/1.1 200 OK", upload: "HTTP/1.1 200 OK", bytes: "late" },
    });
    expect(await lab.askEnvoy("node-1", "/stats?filter=ambit_silent")).toContain("ambit_silent_connections_total: 1");
  });
});
