import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askUnix } from "../../agent/lib/unix-http.ts";
import { nodeCgroups } from "../../deploy/lab/machine/cgroup.ts";
import { netnsName } from "../../deploy/lab/network/netns.ts";
import { HelperProcess } from "../../deploy/lab/nodes/helper-process.ts";
import { AMBIT } from "../support/ambit-command.ts";
import { describePrivileged } from "../support/privileges.ts";
import { TestLab } from "./lab-fixture.ts";

const SERVER = `require("http").createServer((q, r) => r.end("served")).listen(8080, "::")`;

const MANIFESTS = `
{ apiVersion: v1, kind: Namespace, metadata: { name: mesh, labels: { ambit.dev/dataplane-mode: ambient } } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: mesh }
spec: { mtls: { mode: STRICT } }
---
apiVersion: v1
kind: Pod
metadata: { name: server, namespace: mesh }
spec:
  containers:
    - name: app
      command: [node, -e, ${JSON.stringify(SERVER)}]
      readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
---
{ apiVersion: v1, kind: Pod, metadata: { name: near, namespace: mesh }, spec: { containers: [{ name: c, command: [sleep, "1000"] }] } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: stranger }, spec: { containers: [{ name: c, command: [sleep, "1000"] }] } }
`;

/** Prints the answer, or the name of the error. */
const CALL = `
import sys, urllib.request
try: print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())
except Exception as error: print(type(getattr(error, "reason", error)).__name__)
`;

describePrivileged("STRICT without an authority", () => {
  const lab = new TestLab({ "all.yaml": MANIFESTS });
  let agent: HelperProcess | undefined;

  beforeAll(async () => {
    expect((await lab.up("--nodes", "1")).stderr).toContain("ready:");
  });
  afterAll(async () => {
    await agent?.stop(10_000);
    await lab.remove();
  });

  const call = async (from: string): Promise<string> => {
    const address = (await lab.status()).pods.find(({ name }) => name === "server")?.ip ?? "";
    return (await lab.exec(from, "python3", "-c", CALL, `http://${address}:8080/`)).stdout.trim();
  };

  test("lets pods of the same node in, and refuses who has no identity", async () => {
    expect(await call("default/stranger")).toBe("served");
    const stateDir = join(lab.root, "nodes", "node-1");
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const { pods, proxy, kubelet, agent: own } = nodeCgroups(lab.name, "node-1");
    agent = new HelperProcess({
      command: [
        ...[process.execPath, AMBIT, "agent", "--node", "node-1", "--strict-grace", "0.5", "--state-dir", stateDir],
        ...["--manifests", lab.manifests, "--manifests", join(lab.root, "cluster")],
        ...["--pods-cgroup", pods, "--proxy-cgroup", proxy, "--kubelet-cgroup", kubelet],
      ] as [string, ...string[]],
      netns: netnsName(lab.name, "node-1"),
      cgroup: own,
      logFile: join(stateDir, "agent.log"),
    });
    await expect
      .poll(
        async () => {
          const { body } = await askUnix(join(stateDir, "admin.sock"), "/status").catch(() => ({ body: "{}" }));
          const { pods: all = [] } = JSON.parse(body) as { readonly pods?: readonly { readonly phase: string }[] };
          return all.map(({ phase }) => phase).toSorted();
        },
        { timeout: 60_000 },
      )
      .toEqual(["captured", "captured", "outside"]);
    await expect.poll(() => call("default/stranger"), { timeout: 30_000 }).toMatch(/Connection|RemoteDisconnected/u);
    expect(await call("mesh/near")).toBe("served");
    const { ready, pods: shown } = await lab.status();
    expect([ready, shown.filter(({ phase }) => phase === "Running").length]).toEqual([true, 3]);
  });
});
