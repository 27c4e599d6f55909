import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { identify } from "../../agent/lib/process-identity.ts";
import { describePrivileged } from "../support/privileges.ts";
import { Caller } from "./callers.ts";
import { APPS, labStateDir, MeshLab, namespace, pod, service } from "./mesh-lab.ts";
import { Requests } from "./requests.ts";

const NODE = process.execPath;

describePrivileged("a mesh in which things come and go", () => {
  const lab = new MeshLab("life");
  const get = async (url: string): Promise<number> => (await lab.call("shop/client", url)).status;
  const enrolled = async (): Promise<boolean> => {
    const { pods } = await lab.status();
    return pods.every((each) => each.ready && each.enrolled);
  };

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      pod("shop", "client", "node-1"),
      pod("shop", "near", "node-1", { server: true }),
      pod("shop", "far", "node-2", { server: true }),
      service("shop", "near", { app: "near" }),
      service("shop", "far", { app: "far" }),
    ]);
    await lab.up();
  });
  afterAll(() => lab.down());

  it("cuts none of 200 open connections while pods come and go on the node", async () => {
    const hold = lab.start("shop/client", NODE, join(APPS, "hold.mjs"), "near", "9000", "200");
    const lines = createInterface({ input: hold.stdout ?? process.stdin })[Symbol.asyncIterator]();
    const answer = async (): Promise<string> => String((await lines.next()).value);
    try {
      expect(await answer()).toBe("open");
      for (let round = 0; round < 3; round++) {
        lab.write(
          "guests.yaml",
          ["one", "two"].map((name) => pod("shop", `${name}-${round}`, "node-1", { server: true })),
        );
        await lab.until(
          "the guests are in the mesh",
          async () => (await enrolled()) && (await lab.status()).pods.length === 5,
        );
        hold.stdin?.write("still there?\n");
        expect(await answer()).toBe("200");
        lab.remove("guests.yaml");
        await lab.until("the guests are gone", async () => (await lab.status()).pods.length === 3);
        hold.stdin?.write("and now?\n");
        expect(await answer()).toBe("200");
      }
    } finally {
      hold.kill();
    }
  });

  it("serves on while the agent is killed, and adopts what runs", async () => {
    const [before] = await lab.processes();
    const load = await Requests.start(lab, "shop/client", "http://near/", "http://far/");
    await lab.replaceAgents("node-1");
    expect(await load.finish()).toMatchObject({ failed: 0 });
    expect((await lab.processes())[0]?.envoyPid).toBe(before?.envoyPid);
  });

  it("is back within seconds after Envoy is killed", async () => {
    const { services } = await lab.status();
    const near = services.find(({ name }) => name === "near")?.clusterIP ?? "";
    // A process that is there already: to start one for each call takes seconds by itself where there is little CPU.
    const caller = new Caller(lab, "shop/client");
    const isAnswered = async (): Promise<boolean> =>
      (await caller.call({ address: near, port: 80, path: "/" })).status === 200;
    await lab.until("calls are answered", isAnswered);
    const before = await lab.kill("node-1", "envoyPid");
    await lab.until("calls are answered again", isAnswered, 10_000);
    caller.end();
    expect((await lab.processes())[0]?.envoyPid).not.toBe(before);
  });

  it("enrols and un-enrols under load without a failed request", async () => {
    const load = await Requests.start(lab, "shop/client", "http://near/", "http://far/");
    for (const command of ["unenroll", "enroll"]) {
      const { code, stderr } = await lab.ambit(command, "shop", "--name", lab.name);
      expect(stderr.includes("ambit:") ? stderr : code).toBe(0);
    }
    expect(await load.finish()).toMatchObject({ failed: 0 });
    await lab.until("all are in the mesh", enrolled);
    // Of a listener that has changed Envoy cuts the connections in the end.
    const modified = await lab.askEnvoy("node-1", "/stats?filter=listener_manager.listener_modified");
    expect(modified.trim()).toBe("listener_manager.listener_modified: 0");
  });

  it("counts calls under Istio's names and labels on the node's Prometheus page", async () => {
    const url = (await lab.status()).nodes[0]?.metricsUrl ?? "";
    const counted =
      /^istio_requests_total\{reporter="source",.*destination_service_name="far",.*response_code="200".*\} \d+$/mu;
    let page = "";
    await lab.until("the call is counted", async () => {
      await get("http://far/");
      page = await (await fetch(url)).text();
      return counted.test(page);
    });
    expect(page).toMatch(counted);
    expect(page).toMatch(/^ambit_pods \d+$/mu);
  });

  it("leaves nothing behind", async () => {
    const nodes = await lab.processes();
    await lab.down();
    const left = (file: string): readonly string[] =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.includes(lab.name));
    const netns = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
    expect(netns.filter((name) => name.includes(lab.name))).toEqual([]);
    expect(left("/proc/self/mounts")).toEqual([]);
    expect(existsSync(labStateDir(lab.name))).toBe(false);
    for (const root of ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]) {
      expect(existsSync(join(root, "ambit", lab.name))).toBe(false);
    }
    for (const { agentPid, envoyPid } of nodes) {
      for (const pid of [agentPid, envoyPid]) expect(identify(pid)).toBeUndefined();
    }
  });
});
