import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { APPS, MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { describePrivileged } from "../support/privileges.ts";
import { residentMegabytes } from "./flood.ts";

const NODE = process.execPath;

/** The server runs `odd-codes.mjs`. */
function oddServer(): unknown {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "odd", namespace: "evil", labels: { app: "odd" } },
    spec: {
      nodeName: "node-1",
      containers: [
        {
          name: "app",
          image: "none",
          command: [NODE, join(APPS, "odd-codes.mjs")],
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

const notHeader = (index: number): unknown => ({ key: "request.headers[x-many]", notValues: [`never-${index}`] });

describePrivileged("requests that are made to cost much", () => {
  // One worker: what one tenant's requests cost, another's would wait for.
  const lab = new MeshLab("cost", { AMBIT_CONCURRENCY: "1" });
  let before = { envoy: 0, agent: 0 };

  async function memory(): Promise<{ readonly envoy: number; readonly agent: number }> {
    const [node] = await lab.processes();
    return { envoy: residentMegabytes(node?.envoyPid ?? 0), agent: residentMegabytes(node?.agentPid ?? 0) };
  }

  const page = async (): Promise<string> => {
    const [node] = (await lab.status()).nodes;
    return (await fetch(node?.metricsUrl ?? "")).text();
  };

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("evil", true),
      pod("shop", "client", "node-1"),
      pod("shop", "web", "node-1", { server: true }),
      service("shop", "web", { app: "web" }),
      pod("evil", "mallory", "node-1"),
      pod("evil", "victim", "node-1", { server: true }),
      service("evil", "victim", { app: "victim" }),
      oddServer(),
      service("evil", "odd", { app: "odd" }),
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "paths", namespace: "evil" },
        spec: {
          selector: { matchLabels: { app: "victim" } },
          rules: Array.from({ length: 20 }, (_, index) => ({
            to: [{ operation: { paths: ["/allowed"] } }],
            when: [notHeader(index)],
          })),
        },
      },
    ]);
    await lab.up();
    await lab.until("both tenants are served", async () => {
      const own = await lab.call("shop/client", "http://web/");
      const theirs = await lab.call("evil/mallory", "http://odd/200");
      return own.status === 200 && theirs.status === 200;
    });
    before = await memory();
  });
  afterAll(() => lab.down());

  /** Attacks while another tenant calls. None of that tenant's calls fails, and nobody's memory doubles. */
  async function attack(to: string, kind: string, count: number): Promise<Readonly<Record<string, number>>> {
    const [attacked, ...called] = await Promise.all([
      lab.exec("evil/mallory", NODE, join(APPS, "large-requests.mjs"), `http://${to}/`, kind, String(count)),
      lab.calls("shop/client", "http://web/", 30),
      lab.calls("shop/client", "http://web/", 30),
    ]);
    expect(called.flat().map(({ status }) => status)).toEqual(Array.from({ length: 60 }, () => 200));
    const after = await memory();
    expect(after.envoy).toBeLessThan(2 * before.envoy);
    expect(after.agent).toBeLessThan(2 * before.agent);
    return JSON.parse(attacked.stdout) as Readonly<Record<string, number>>;
  }

  it("long paths that are not in their normal form", async () => {
    expect(await attack("victim", "path", 100)).toEqual({ 403: 100 });
  });

  it("many equal headers, and many rules about them", async () => {
    expect(await attack("victim", "headers", 100)).toEqual({ 403: 100 });
  });

  it("response codes that nobody uses", async () => {
    const answers = await attack("odd", "codes", 1_600);
    expect(Object.keys(answers).length).toBeGreaterThan(700);
    await lab.until("the calls are counted", async () => (await page()).includes('response_code="other"'));
    expect((await page()).length).toBeLessThan(6 << 20);
    expect((await memory()).agent).toBeLessThan(2 * before.agent);
  });
});
