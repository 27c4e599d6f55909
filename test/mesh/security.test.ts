import { afterAll, beforeAll, expect, it } from "vitest";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { cgroupRoot, nodeCgroups } from "../../deploy/lab/machine/cgroup.ts";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, labStateDir, MeshLab, namespace, pod, service, type Answer } from "./mesh-lab.ts";
import { Requests } from "./requests.ts";

const NODE = process.execPath;

describePrivileged("what nobody can talk his way around", () => {
  // One worker: all pods share its connection pools.
  const lab = new MeshLab("sec", { AMBIT_CONCURRENCY: "1" });
  let status: LabStatus;
  const address = (name: string): string => status.pods.find((each) => each.name === name)?.ip ?? "";
  const clusterIP = (name: string): string => status.services.find((each) => each.name === name)?.clusterIP ?? "";
  const get = (from: string, url: string, ...headers: readonly string[]): Promise<Answer> =>
    lab.call(from, url, ...headers);

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("outside", false),
      pod("shop", "alice", "node-1"),
      pod("shop", "bob", "node-1", { add: ["NET_RAW"] }),
      pod("shop", "near", "node-1", { server: true, labels: { mixed: "yes" } }),
      pod("shop", "far", "node-2", { server: true }),
      pod("shop", "guarded", "node-1", { server: true, labels: { mixed: "yes" } }),
      pod("outside", "stranger", "node-1"),
      pod("outside", "plain", "node-1", { server: true }),
      service("shop", "near", { app: "near" }),
      service("shop", "far", { app: "far" }),
      service("shop", "guarded", { app: "guarded" }),
      // Its pods are on one node and not guarded alike.
      service("shop", "mixed", { mixed: "yes" }),
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "only-alice", namespace: "shop" },
        spec: {
          selector: { matchLabels: { app: "guarded" } },
          rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/alice"] } }] }],
        },
      },
    ]);
    await lab.up();
    status = await lab.status();
  });
  afterAll(() => lab.down());

  it("never shows one pod's address on another's request, in 10,000 of two pods over one worker", async () => {
    const urls = ["http://near/", "http://far/"];
    const [alice, bob] = await Promise.all(
      ["alice", "bob"].map((name) => lab.exec(`shop/${name}`, NODE, join(APPS, "requests.mjs"), "5000", ...urls)),
    );
    expect(JSON.parse(alice?.stdout ?? "")).toEqual({ peers: { [address("alice")]: 5000 }, sent: 5000, failed: 0 });
    expect(JSON.parse(bob?.stdout ?? "")).toEqual({ peers: { [address("bob")]: 5000 }, sent: 5000, failed: 0 });
  });

  it("lets policy decide by who calls", async () => {
    expect((await get("shop/alice", "http://guarded/")).status).toBe(200);
    expect((await get("shop/bob", "http://guarded/")).status).toBe(403);
    expect((await get("outside/stranger", "http://guarded.shop/")).status).toBe(403);
  });

  it("is not moved by a forged Host or private routing header", async () => {
    const forged = ["Host: near", `x-ambit-original-dst: ${clusterIP("near")}:80`];
    expect((await get("shop/bob", "http://guarded/", ...forged)).status).toBe(403);
    const alice = [
      address("alice"),
      "alice",
      "shop",
      "alice",
      "alice",
      "",
      "alice",
      "latest",
      "cluster.local/ns/shop/sa/alice",
    ];
    const asAlice = ["x-ambit-source", "X-Ambit-Source"].map((name) => `${name}: ${alice.join("|")}`);
    expect((await get("shop/bob", "http://guarded/", ...asAlice)).status).toBe(403);
    const reached = await get("shop/bob", "http://near/", "Host: guarded", "x-ambit-original-dst: x", ...asAlice);
    expect(JSON.parse(reached.body)).toMatchObject({ name: "near" });
    expect(reached.body).not.toContain("x-ambit");
  });

  it("applies each pod's own policy where a Service's pods are not guarded alike", async () => {
    const alice = await lab.calls("shop/alice", "http://mixed/", 30);
    const names = new Set(alice.map(({ body }) => (JSON.parse(body) as { readonly name: string }).name));
    expect(names).toEqual(new Set(["near", "guarded"]));
    const bob = await lab.calls("shop/bob", "http://mixed/", 30);
    expect(new Set(bob.map(({ status: answer }) => answer))).toEqual(new Set([200, 403]));
    const served = bob.filter(({ status: answer }) => answer === 200);
    for (const { body } of served) expect(body).toContain('"name":"near"');
    for (const { body } of alice) expect(body).toContain(`"peer":"${address("alice")}"`);
  });

  it("writes the reason of a denial into the access log", async () => {
    await get("shop/bob", "http://guarded/why");
    expect(await lab.loggedLine("node-1", "/why")).toMatchObject({
      direction: "outbound",
      path: "/why",
      response_code: 403,
      response_code_details: "ambit_denied:no_allow_policy_matched",
      source_address: address("bob"),
    });
  });

  it("decides TCP by who calls, too", async () => {
    // What echoes is no HTTP.
    expect((await get("shop/alice", "http://guarded:9000/")).code).toMatch(/^HPE_/u);
    expect((await get("shop/bob", "http://guarded:9000/")).code).toBe("ECONNRESET");
  });

  it("shows a root process of a pod no key, token or socket of the mesh, and lets it into no cgroup", async () => {
    const asRoot = async (command: string): Promise<string> => {
      const { stdout, stderr } = await lab.exec("outside/stranger", "sh", "-c", command);
      return `${stdout}${stderr}`.trim();
    };
    const { kubelet } = nodeCgroups(lab.name, "node-1");
    expect(existsSync(join(labStateDir(lab.name), "authority"))).toBe(true);
    expect(await asRoot(`id -u; ls ${dirname(labStateDir(lab.name))}`)).toBe("0");
    expect(await asRoot("ls /run/netns")).toBe("");
    expect(await asRoot(`ls -d ${kubelet} && echo seen`)).not.toContain("seen");
    expect(await asRoot(`mkdir ${join(cgroupRoot(), "own")} && echo made`)).toMatch(/read-only/iu);
    expect(await asRoot(`umount ${cgroupRoot()} && echo undone`)).not.toContain("undone");
    // The same files by way of a process that sees them.
    const [agent] = await lab.processes();
    expect(await asRoot(`ls /proc/${agent?.agentPid}/root/ && echo read`)).not.toContain("read");
  });

  it("has no rule of ours in iptables or nftables", async () => {
    const { stdout } = await lab.exec("shop/alice", "python3", join(APPS, "rules.py"));
    expect(stdout.trim()).toBe("0 0");
  });

  it("refuses or drops whoever dials the capture ports", async () => {
    const closed = async (from: string, url: string): Promise<void> => {
      const answer = await get(from, url);
      expect(["ECONNREFUSED", "ETIMEDOUT", "ECONNRESET"], `${from} dials ${url}`).toContain(answer.code);
    };
    await Promise.all([
      closed("shop/alice", "http://127.0.0.1:15001/"),
      closed("shop/alice", "http://127.0.0.1:15006/"),
      closed("shop/alice", "http://[::1]:15003/"),
      ...[15001, 15002, 15006, 15007].flatMap((port) => [
        closed("shop/bob", `http://${address("alice")}:${port}/`),
        closed("outside/stranger", `http://${address("alice")}:${port}/`),
      ]),
    ]);
    expect((await get("shop/alice", "http://near/")).status).toBe(200);
  });

  it("lets nobody with CAP_NET_RAW inject a request into the proxy's connections on its node", async () => {
    // Outside the mesh the same attack works: the injector is sound.
    const open = await Requests.start(lab, "outside/stranger", `http://${address("plain")}:8080/`);
    const plain = await lab.exec(
      "outside/stranger",
      "python3",
      join(APPS, "inject.py"),
      address("plain"),
      "8080",
      "/injected",
    );
    await open.finish();
    expect(Number(plain.stdout)).toBeGreaterThan(0);

    const load = await Requests.start(lab, "shop/bob", "http://near/");
    const target = [address("near"), "8080", "/injected"];
    const { stdout, stderr } = await lab.exec("shop/bob", "python3", join(APPS, "inject.py"), ...target);
    expect(stderr).toBe("");
    // In the caller's netns there is nothing to be seen of the delivery.
    expect(stdout.trim()).toBe("0");
    expect(await load.finish()).toMatchObject({ failed: 0 });
    expect((await get("shop/alice", "http://near/paths")).body).not.toContain("/injected");
  });
});
