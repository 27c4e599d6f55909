import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { TestLab } from "./lab-fixture.ts";

const SERVER = `require("http").createServer((request, response) => {
  response.end(JSON.stringify({ pod: process.env.POD, from: request.socket.remoteAddress }));
}).listen(Number(process.argv[1]), "::")`;

/** A server that is ready while the file named in READY exists. */
function deployment(replicas: number, version: string, ready: string): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web, version: ${version} } }
    spec:
      containers:
        - name: app
          command: [node, -e, ${JSON.stringify(SERVER)}, "--"]
          args: ["$(PORT)"]
          ports: [{ name: http, containerPort: 8080 }]
          env:
            - { name: PORT, value: "8080" }
            - { name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
          readinessProbe: { exec: { command: [test, -e, ${ready}] }, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 1 }
`;
}

const OTHERS = `
{ apiVersion: v1, kind: Namespace, metadata: { name: shop } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: http }] }
---
apiVersion: v1
kind: Service
metadata: { name: web-all, namespace: shop }
spec:
  clusterIP: None
  ipFamilyPolicy: RequireDualStack
  selector: { app: web }
  ports: [{ name: http, port: 80, targetPort: http }]
---
apiVersion: v1
kind: Service
metadata: { name: both, namespace: shop }
spec: { ipFamilyPolicy: PreferDualStack, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: nothing, namespace: shop }
spec: { selector: { app: nothing }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: legacy, namespace: shop }
spec: { clusterIP: 10.96.7.7, ports: [{ name: db, port: 5432 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: legacy-1, namespace: shop, labels: { kubernetes.io/service-name: legacy } }
addressType: IPv4
ports: [{ name: db, port: 5432 }]
endpoints: [{ addresses: [192.0.2.7] }]
---
apiVersion: v1
kind: Service
metadata: { name: outside, namespace: shop }
spec: { type: ExternalName, externalName: web.shop.svc.cluster.local }
---
apiVersion: v1
kind: Pod
metadata: { name: client, namespace: other }
spec:
  nodeName: node-2
  containers:
    - { name: plain, command: [sleep, "1000"] }
    - name: changed
      command: [sleep, "1000"]
      securityContext: { capabilities: { add: [NET_ADMIN], drop: [NET_RAW, CHOWN] } }
      lifecycle: { preStop: { exec: { command: ["true"] } } }
    - { name: user, command: [sleep, "1000"], workingDir: /tmp, securityContext: { runAsUser: 1234, runAsGroup: 55 } }
---
apiVersion: v1
kind: Pod
metadata: { name: task, namespace: other }
spec: { restartPolicy: OnFailure, containers: [{ name: c, command: [sh, -c, "exit 0"] }] }
`;

const CAP = { net_admin: 12, net_raw: 13, chown: 0 } as const;

describePrivileged("a lab's cluster", () => {
  let lab: TestLab;
  let ready: string;
  const client = "other/client";

  beforeAll(async () => {
    lab = new TestLab({});
    ready = join(lab.manifests, "ready.flag");
    lab.write("ready.flag", "");
    lab.write("web.yaml", deployment(2, "a", ready));
    lab.write("others.yaml", OTHERS);
    const up = await lab.up();
    expect(up.stderr).toContain("ready:");
    expect(up.stderr).toContain("Pod other/client: spec.containers[1].lifecycle:");
  });
  afterAll(() => lab.remove());

  async function get(url: string): Promise<{ readonly pod: string; readonly from: string }> {
    const script = `fetch(${JSON.stringify(url)}).then((r) => r.text()).then(console.log)`;
    const { stdout, stderr } = await lab.exec(client, "node", "-e", script);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout) as { pod: string; from: string };
  }

  test("replicas are spread, reach each other across nodes by both families, and see who calls", async () => {
    const { pods } = await lab.status();
    const web = pods.filter(({ name }) => name.startsWith("web-"));
    expect(web.map(({ node }) => node).sort()).toEqual(["node-1", "node-2"]);
    const me = pods.find(({ name }) => name === "client");
    for (const { name, ip, ip6 } of web) {
      expect(await get(`http://${ip}:8080/`)).toEqual({ pod: name, from: `::ffff:${me?.ip}` });
      expect(await get(`http://[${ip6}]:8080/`)).toEqual({ pod: name, from: me?.ip6 });
    }
    expect((await lab.exec("shop/web", "sh", "-c", "echo $POD")).stdout.trim()).toMatch(
      /^web-[a-z0-9]{10}-[a-z0-9]{5}$/,
    );
  });

  test("names resolve as in Kubernetes", async () => {
    const { services } = await lab.status();
    const web = services.find(({ name }) => name === "web")?.clusterIP ?? "";
    const lookup = async (pod: string, database: string, name: string): Promise<string> =>
      (await lab.exec(pod, "getent", database, name)).stdout.split(/\s+/)[0] ?? "";
    expect(web).toMatch(/^10\.96\./);
    expect(await lookup("shop/web", "ahostsv4", "web")).toBe(web);
    expect(await lookup(client, "ahostsv4", "web")).toBe("");
    for (const name of ["web.shop", "web.shop.svc", "web.shop.svc.cluster.local", "WEB.shop", "outside.shop"]) {
      expect(await lookup(client, "ahostsv4", name)).toBe(web);
    }
    expect((await lab.exec(client, "getent", "hosts", "nobody.example.com")).code).toBe(2);
    expect(await lookup(client, "ahostsv6", "both.shop")).toMatch(/^fd00:10:96::/);
    expect(await lookup(client, "ahostsv4", "legacy.shop")).toBe("10.96.7.7");
    const all = (await lab.exec(client, "getent", "ahosts", "web-all.shop")).stdout.split("\n");
    const { pods } = await lab.status();
    const wanted = pods.filter(({ name }) => name.startsWith("web-")).flatMap(({ ip, ip6 }) => [ip, ip6 ?? ""]);
    const found = all.filter((line) => line.includes("STREAM")).map((line) => line.split(/\s+/)[0]);
    expect(found.sort()).toEqual(wanted.sort());
    const tcp =
      "const d=require('dns');d.setServers(['10.244.2.1']);d.resolveSrv('_http._tcp.web.shop.svc.cluster.local',(e,a)=>console.log(JSON.stringify(a)))";
    expect((await lab.exec(client, "node", "-e", tcp)).stdout).toContain('"port":80');
  });

  test("un-enrolled pods reach clusterIPs by both families; without endpoints they are refused", async () => {
    const { pods, services } = await lab.status();
    const web = pods.filter(({ name }) => name.startsWith("web-")).map(({ name }) => name);
    const both = services
      .find(({ name }) => name === "both")
      ?.clusterIPs.map((ip) => (ip.includes(":") ? `[${ip}]` : ip));
    expect(both).toHaveLength(2);
    for (const host of ["web.shop", ...(both ?? [])]) {
      const seen = new Set<string>();
      for (let call = 0; call < 40 && seen.size < 2; call++) {
        // One process for several calls: each of them opens a connection of its own.
        const script = `Promise.all(Array.from({ length: 8 }, () => fetch("http://${host}/", { headers: { connection: "close" } }).then((r) => r.json()))).then((all) => console.log(JSON.stringify(all.map((a) => a.pod))))`;
        const { stdout, stderr } = await lab.exec(client, "node", "-e", script);
        for (const pod of JSON.parse(stdout || JSON.stringify([stderr])) as string[]) seen.add(pod);
      }
      expect([...seen].sort()).toEqual(web.sort());
    }
    const refused = `require("net").connect(80, "nothing.shop").on("error", (e) => console.log(e.code)).on("connect", () => console.log("connected"))`;
    expect((await lab.exec(client, "node", "-e", refused)).stdout).toBe("ECONNREFUSED\n");
  });

  test("a Service without selector has the endpoints of its EndpointSlice", async () => {
    const legacy = (await lab.status()).services.find(({ name }) => name === "legacy");
    expect(legacy).toMatchObject({ clusterIP: "10.96.7.7", endpoints: [{ address: "192.0.2.7" }] });
  });

  test("capabilities and users are what the manifest asks for", async () => {
    const caps = async (container: string): Promise<bigint> => {
      const { stdout } = await lab.run("exec", [client, "-c", container, "--", "cat", "/proc/self/status"]);
      return BigInt(`0x${/CapBnd:\s*(\w+)/.exec(stdout)?.[1] ?? "0"}`);
    };
    const has = (set: bigint, name: keyof typeof CAP): boolean => (set & (1n << BigInt(CAP[name]))) !== 0n;
    const [plain, changed] = [await caps("plain"), await caps("changed")];
    expect([has(plain, "net_admin"), has(plain, "net_raw"), has(plain, "chown")]).toEqual([false, true, true]);
    expect([has(changed, "net_admin"), has(changed, "net_raw"), has(changed, "chown")]).toEqual([true, false, false]);
    const user = await lab.run("exec", [client, "-c", "user", "--", "sh", "-c", "id -u; id -g; pwd"]);
    expect(user.stdout).toBe("1234\n55\n/tmp\n");
  });

  test("a pod that has done its work counts as done", async () => {
    const task = (await lab.status()).pods.find(({ name }) => name === "task");
    expect(task).toMatchObject({ phase: "Succeeded", ready: false, reason: "" });
  });

  test("a container that ends is started again, and counted", async () => {
    const before = (await lab.status()).pods.find(({ name }) => name === "client");
    // Not 0, which is this process's own group.
    process.kill(before?.containers[0]?.pid ?? Number.NaN, "SIGKILL");
    const after = await lab.until(({ pods }) => {
      const [plain] = pods.find(({ name }) => name === "client")?.containers ?? [];
      return plain?.restarts === 1 && plain.pid !== null;
    });
    const now = after.pods.find(({ name }) => name === "client");
    expect(now?.uid).toBe(before?.uid);
    expect(now?.containers[1]).toMatchObject({ restarts: 0, pid: before?.containers[1]?.pid });
  });

  test("a Deployment follows its manifest: replicas, then the template, pod by pod", async () => {
    const web = (name: string): boolean => name.startsWith("web-");
    const before = (await lab.status()).pods.filter(({ name }) => web(name));
    lab.write("web.yaml", deployment(3, "a", ready));
    const scaled = await lab.until(({ pods }) => pods.filter(({ name, ready: is }) => web(name) && is).length === 3);
    const names = scaled.pods.filter(({ name }) => web(name)).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(before.map(({ name }) => name)));
    lab.write("web.yaml", deployment(2, "b", ready));
    let fewest = 3;
    await lab.until(({ pods, ready: all }) => {
      const now = pods.filter(({ name }) => web(name));
      fewest = Math.min(fewest, now.filter((pod) => pod.ready).length);
      return all && now.length === 2 && now.every(({ name }) => !names.includes(name));
    });
    expect(fewest).toBeGreaterThanOrEqual(2);
  });

  test("readiness decides over endpoints, and agents and name servers learn of it", async () => {
    const endpoints = (): number => {
      const slices = lab.resolved<{ metadata: { name: string }; endpoints: { conditions: { ready: boolean } }[] }>(
        "endpointslices",
      );
      const own = slices.filter(({ metadata }) => /^web-[0-9a-f]{5}$/.test(metadata.name));
      return own.flatMap((slice) => slice.endpoints.filter(({ conditions }) => conditions.ready)).length;
    };
    const { rmSync } = await import("node:fs");
    rmSync(ready);
    await lab.until(({ services }) => services.find(({ name }) => name === "web")?.endpoints.length === 0);
    expect(endpoints()).toBe(0);
    // The name server is a process of its own.
    await expect.poll(async () => (await lab.exec(client, "getent", "ahosts", "web-all.shop")).code).toBe(2);
    lab.write("ready.flag", "");
    await lab.until(({ services }) => services.find(({ name }) => name === "web")?.endpoints.length === 2);
    expect(endpoints()).toBe(2);
  });

  test("a manifest that is broken keeps what it last said, and is told of", async () => {
    const pods = (await lab.status()).pods.map(({ name }) => name);
    lab.write("web.yaml", "kind: [");
    const { warnings } = await lab.until((status) => status.warnings.some(({ code }) => code === "invalid-yaml"));
    expect(warnings.find(({ code }) => code === "invalid-yaml")?.origin).toContain("web.yaml");
    expect((await lab.status()).pods.map(({ name }) => name)).toEqual(pods);
    lab.write("web.yaml", deployment(2, "b", ready));
    await lab.until((status) => status.warnings.every(({ code }) => code !== "invalid-yaml"));
  });

  test("objects that go take their pods with them; a pod that changes is made anew", async () => {
    const uid = (await lab.status()).pods.find(({ name }) => name === "client")?.uid;
    lab.write("web.yaml", "");
    lab.write("others.yaml", OTHERS.replace("workingDir: /tmp", "workingDir: /"));
    const { rmSync } = await import("node:fs");
    rmSync(join(lab.manifests, "web.yaml"));
    const { pods } = await lab.until((status) => {
      const me = status.pods.find(({ name }) => name === "client");
      return status.pods.length === 2 && me?.ready === true && me.uid !== uid;
    });
    expect(pods.map(({ name }) => name).sort()).toEqual(["client", "task"]);
    await expect.poll(async () => (await lab.traces()).filter((line) => line.startsWith("netns"))).toHaveLength(5);
  });
});
