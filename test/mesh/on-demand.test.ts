import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, MeshLab, namespace, pod, service } from "./mesh-lab.ts";

const NODE = process.execPath;
const names = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

/** What node-1's metrics page counts of requests to a Service, as their caller sees it; waits until it counts any. */
async function requestsTo(lab: MeshLab, host: string): Promise<number> {
  return requestsWith(lab, `destination_service_name="${host}"`);
}

/** The same, by a label. */
async function requestsWith(lab: MeshLab, label: string): Promise<number> {
  const url = (await lab.status()).nodes.find(({ name }) => name === "node-1")?.metricsUrl ?? "";
  let count = 0;
  await lab.until(`requests with ${label} are counted`, async () => {
    const page = await (await fetch(url)).text();
    const series = page
      .split("\n")
      .filter((line) => line.startsWith("istio_requests_total{") && line.includes('reporter="source"'))
      .filter((line) => line.includes(label));
    count = series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    return count > 0;
  });
  return count;
}

describePrivileged("a destination that nobody of the node has called before", () => {
  const lab = new MeshLab("cold");
  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      pod("shop", "client", "node-1"),
      pod("shop", "near", "node-1", { server: true }),
      pod("shop", "far", "node-2", { server: true }),
      pod("shop", "guarded", "node-1", { server: true }),
      ...["near", "far", "guarded"].flatMap((app) => names(app, 20).map((name) => service("shop", name, { app }))),
      service("shop", "routed", { app: "nobody" }),
      service("shop", "picky", { app: "near" }),
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "picky", namespace: "shop" },
        spec: {
          parentRefs: [{ group: "", kind: "Service", name: "picky" }],
          rules: [{ matches: [{ path: { value: "/only" } }], backendRefs: [{ name: "near-9", port: 80 }] }],
        },
      },
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "routed", namespace: "shop" },
        spec: {
          parentRefs: [{ group: "", kind: "Service", name: "routed" }],
          rules: [
            {
              backendRefs: names("near", 20)
                .slice(10)
                .map((name) => ({ name, port: 80 })),
            },
          ],
        },
      },
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "read-only", namespace: "shop" },
        spec: {
          selector: { matchLabels: { app: "guarded" } },
          rules: [{ to: [{ operation: { methods: ["GET"] } }] }],
        },
      },
    ]);
    await lab.up();
  });
  afterAll(() => lab.down());

  /** The answers to the first POST to each of some hosts. */
  async function firstPosts(bytes: number, hosts: readonly string[]): Promise<readonly unknown[]> {
    const urls = hosts.map((host) => `http://${host}/`);
    const { stdout } = await lab.exec("shop/client", NODE, join(APPS, "first-post.mjs"), String(bytes), ...urls);
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  }

  it("costs the proxy nothing", async () => {
    expect(await lab.askEnvoy("node-1", "/clusters")).not.toMatch(/near|far|guarded|routed/u);
  });

  it.for([0, 100, 1_000_000])("takes the whole body of a first request: %i bytes", async (bytes) => {
    const from = [0, 100, 1_000_000].indexOf(bytes) * 3;
    const hosts = ["near", "far"].flatMap((prefix) => names(prefix, 10).slice(from, from + 3));
    expect(await firstPosts(bytes, hosts)).toEqual(hosts.map(() => ({ status: 200, read: bytes })));
  });

  it("is called, logged and counted once, whatever is repeated inside the proxy", async () => {
    for (const [host, bytes] of [
      ["near-9", 0],
      ["far-9", 100],
    ] as const) {
      expect(await firstPosts(bytes, [host])).toEqual([{ status: 200, read: bytes }]);
      await lab.loggedLine("node-1", `|80||${host}.`);
      expect(lab.logged("node-1", `|80||${host}.`)).toHaveLength(1);
      expect(await requestsTo(lab, host)).toBe(1);
    }
  });

  it("is guarded from the first request on", async () => {
    const answers = await firstPosts(100, names("guarded", 10));
    expect(answers).toEqual(answers.map(() => ({ status: 403, read: "RBAC: access denied" })));
    expect((await lab.call("shop/client", "http://guarded-11/")).status).toBe(200);
  });

  it("is found by weight, too", async () => {
    const hosts = names("x", 40).map(() => "routed");
    expect(await firstPosts(100, hosts)).toEqual(hosts.map(() => ({ status: 200, read: 100 })));
  });

  it("is counted once where no rule of its route fits, too", async () => {
    expect((await lab.call("shop/client", "http://picky/else")).status).toBe(404);
    expect(await requestsWith(lab, 'response_code="404"')).toBe(1);
  });

  it("is waited for where the agent is just being replaced", async () => {
    await lab.kill("node-1", "agentPid");
    expect(await firstPosts(100, ["far-18"])).toEqual([{ status: 200, read: 100 }]);
  });

  it("is TCP where that is what it is", async () => {
    const echo = `const s=require("net").connect(9000,"far-19",()=>s.write("hello"));s.on("data",d=>{console.log(String(d));s.end()})`;
    expect((await lab.exec("shop/client", NODE, "-e", echo)).stdout).toBe("hello\n");
  });

  // The wire's connection and the delivery bear the same addresses in the pod: never the same ports, too.
  it.for(["near-19", "far-19"])("loses none of many short TCP connections: %s", async (host) => {
    const script = join(APPS, "short-connections.mjs");
    const { stdout } = await lab.exec("shop/client", NODE, script, host, "9000", "3000");
    expect(JSON.parse(stdout)).toEqual({ answered: 3000, failures: {} });
  });
});
