import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { askUnix } from "../../agent/lib/unix-http.ts";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import type { AgentStatus, PodStatus } from "../../agent/node/agent-status.ts";
import { describePrivileged } from "../support/privileges.ts";
import { labStateDir, MeshLab, namespace, pod, service } from "./mesh-lab.ts";
import { SteadyLoad } from "./steady-load.ts";
import { httpGet, statusOf, Walker, WALKER, type Attempt } from "./walker.ts";

/** Servers on node-1: `early-…` have their certificates before the authority goes, the others wait for theirs. */
const EARLY = ["early-guarded", "early-strict"];
const LATE = ["guarded", "strict", "free"];
const LOAD = { rate: 200, streams: 20, to: ["free.shop", "newcomer.plain"] };
const PRINCIPAL = "cluster.local/ns/shop/sa/caller";

const policy = (name: string): unknown => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name, namespace: "shop" },
  spec: {
    selector: { matchLabels: { app: name } },
    action: "ALLOW",
    rules: [{ from: [{ source: { principals: [PRINCIPAL] } }] }, { to: [{ operation: { paths: ["/open"] } }] }],
  },
});
const strict = (name: string): unknown => ({
  apiVersion: "security.istio.io/v1",
  kind: "PeerAuthentication",
  metadata: { name, namespace: "shop" },
  spec: { selector: { matchLabels: { app: name } }, mtls: { mode: "STRICT" } },
});
const servers = (names: readonly string[]): readonly unknown[] =>
  names.flatMap((name) => [pod("shop", name, "node-1", { server: true }), service("shop", name, { app: name })]);

describePrivileged("a pod that waits for its certificate", () => {
  const lab = new MeshLab("waits", { AMBIT_STRICT_GRACE: "1" });
  let authority = 0;
  const walkers = new Map<string, Walker>();
  let pods: LabStatus["pods"] = [];

  const at = (place: string): Walker => {
    const walker = walkers.get(place) ?? new Walker(lab.start(place, ...WALKER));
    walkers.set(place, walker);
    return walker;
  };
  const ask = (from: string, attempt: Attempt): Promise<{ readonly status: number; readonly answer: string }> =>
    at(from)
      .try({ wait: 2, ...attempt })
      .then((outcome) => ({ status: statusOf(outcome), answer: outcome.answer }));
  const address = (name: string): string => pods.find((each) => each.name === name)?.ip ?? "";
  /** At the pod's own address, so that nobody's readiness decides. */
  const get = async (from: string, name: string, path = "/"): Promise<number> =>
    (await ask(from, { to: [address(name), 8080], send: httpGet(path) })).status;
  const echo = async (from: string, name: string): Promise<string> =>
    (await ask(from, { to: [address(name), 9000], send: "hello" })).answer;
  /** What the agent of node-1 says; undefined: it does not answer. */
  const agent = async (): Promise<AgentStatus | undefined> => {
    try {
      const socket = join(labStateDir(lab.name), "nodes/node-1/admin.sock");
      return JSON.parse((await askUnix(socket, "/status", { timeoutMs: 2_000 })).body) as AgentStatus;
    } catch {
      return undefined;
    }
  };
  const podStatus = async (name: string): Promise<PodStatus | undefined> =>
    (await agent())?.pods.find((each) => each.name === name);
  const waits = async (name: string, how: RegExp): Promise<void> => {
    await lab.until(`${name} waits: ${String(how)}`, async () => how.test((await podStatus(name))?.reason ?? ""));
    if (address(name) === "") ({ pods } = await lab.status());
  };
  const inMesh = (names: readonly string[]): Promise<void> =>
    lab.until(`${names.join()} are in the mesh`, async () => {
      const all = (await agent())?.pods ?? [];
      return names.every((name) => all.some((each) => each.name === name && each.enrolled));
    });

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("outside", false),
      pod("shop", "caller", "node-1"),
      pod("shop", "caller-far", "node-2", { account: "caller" }),
      pod("shop", "far", "node-2", { server: true }),
      pod("outside", "stranger", "node-2"),
      pod("outside", "stranger-near", "node-1"),
      ...servers(EARLY),
      ...[...EARLY, ...LATE].flatMap((name) => (name.endsWith("strict") ? [strict(name)] : [])),
      ...[...EARLY, ...LATE].flatMap((name) => (name.endsWith("guarded") ? [policy(name)] : [])),
    ]);
    lab.write("plain.yaml", [
      namespace("plain", false),
      pod("plain", "newcomer", "node-1", { server: true }),
      service("plain", "newcomer", { app: "newcomer" }),
    ]);
    await lab.up();
    authority = (await lab.status()).authorityPid ?? Number.NaN;
    // It answers nobody, and goes on when it is told to: one that had ended would be started again with growing delays.
    process.kill(authority, "SIGSTOP");
    lab.write("late.yaml", servers(LATE));
    await waits("guarded", /policies guard/u);
    await waits("free", /policies guard/u);
  });
  afterAll(async () => {
    for (const walker of walkers.values()) walker.stop();
    await lab.down();
  });

  it("is guarded by its policies: who is nobody gets what anybody may", async () => {
    for (const from of ["outside/stranger", "outside/stranger-near", "shop/caller-far"]) {
      expect([await get(from, "guarded"), await get(from, "guarded", "/open")]).toEqual([403, 200]);
      expect([await echo(from, "guarded"), await echo(from, "free")]).toEqual(["", "hello"]);
    }
    // On its node nobody needs a certificate to say who calls.
    expect([await get("shop/caller", "guarded"), await echo("shop/caller", "guarded")]).toEqual([200, "hello"]);
    expect((await lab.call("shop/guarded", `http://${address("guarded")}:8080/accepted`)).body).toBe("1");
  });

  it("calls as if it were outside the mesh", async () => {
    const { answer } = await ask("shop/free", { to: [address("far"), 8080], send: httpGet("/") });
    expect(answer).toContain(`"peer":"${address("free")}"`);
    expect(answer).not.toContain("URI=");
    expect(await get("shop/free", "guarded")).toBe(403);
  });

  it("takes no plaintext where it is STRICT, once it has waited for long", async () => {
    await waits("strict", /it takes no plaintext/u);
    // Who is in the mesh is told by its own node's proxy.
    for (const [from, told] of [
      ["outside/stranger", 0],
      ["outside/stranger-near", 0],
      ["shop/caller-far", 503],
    ] as const) {
      expect([await get(from, "strict"), await echo(from, "strict")]).toEqual([told, ""]);
    }
    expect([await get("shop/caller", "strict"), await echo("shop/caller", "strict")]).toEqual([200, "hello"]);
  });

  it("may leave the mesh meanwhile, and end", async () => {
    const relabelled = (mode: string): void =>
      lab.write("guest.yaml", [
        pod("shop", "guest", "node-1", { server: true, labels: { "ambit.dev/dataplane-mode": mode } }),
        policy("guest"),
      ]);
    relabelled("ambient");
    await waits("guest", /policies guard/u);
    expect(await get("outside/stranger", "guest")).toBe(403);
    relabelled("none");
    await lab.until("it is let go", async () => (await get("outside/stranger", "guest")) === 200);
    expect(await echo("shop/caller", "guest")).toBe("hello");
    relabelled("ambient");
    await lab.until("it is back", async () => (await get("outside/stranger", "guest")) === 403);
    lab.remove("guest.yaml");
    await lab.until("it is gone", async () => (await podStatus("guest")) === undefined);
    ({ pods } = await lab.status());
    lab.write("guest.yaml", [pod("shop", "guest", "node-1", { server: true }), policy("guest")]);
    await waits("guest", /policies guard/u);
    expect(await get("outside/stranger", "guest")).toBe(403);
    lab.remove("guest.yaml");
  });

  it("stays as it is while its agent starts anew, and when Envoy has ended, too, all others of the node wait as it does", async () => {
    const before = await agent();
    let ended = false;
    const tried = (async () => {
      const got = new Set<number>();
      while (!ended) {
        for (const name of ["guarded", "early-guarded", "strict", "early-strict"]) {
          got.add(await get("outside/stranger", name));
        }
      }
      return [...got].toSorted((one, other) => one - other);
    })();
    const kill = (...pids: readonly (number | undefined)[]): void => {
      for (const pid of pids) process.kill(pid ?? Number.NaN, "SIGKILL");
    };
    kill(before?.agentPid);
    await lab.until("another agent is ready", async () => (await agent())?.ready === true);
    await waits("strict", /it takes no plaintext/u);
    const between = await agent();
    expect(between?.agentPid).not.toBe(before?.agentPid);
    expect(between?.pods.find(({ name }) => name === "early-strict")?.enrolled).toBe(true);
    kill(between?.agentPid, between?.envoy.pid);
    await waits("early-strict", /it takes no plaintext/u);
    await waits("early-guarded", /policies guard/u);
    await waits("free", /policies guard/u);
    const names = ["guarded", "early-guarded", "strict", "early-strict", "free"];
    expect(await Promise.all(names.map((name) => get("outside/stranger-near", name)))).toEqual([403, 403, 0, 0, 200]);
    ended = true;
    expect(await tried).toEqual([0, 403]);
  });

  it("joins when the authority is back: nothing that is open breaks, and STRICT never opens", async () => {
    const before = await agent();
    const load = await SteadyLoad.start(lab, "outside/stranger-near", LOAD);
    // Its label is new, and it has been running. The command waits until it is in.
    const enrolled = lab.ambit("enroll", "plain", "--name", lab.name);
    await waits("newcomer", /policies guard/u);
    process.kill(authority, "SIGCONT");
    // They would ask again by themselves, up to 30 s later.
    const returned = lab.ambit("cert", "rotate", "--name", lab.name);
    let joined = false;
    const tried = (async () => {
      const got = new Set<number>();
      while (!joined) {
        for (const name of ["strict", "early-strict"]) got.add(await get("outside/stranger", name));
      }
      return [...got];
    })();
    await Promise.all([returned, enrolled]);
    await inMesh([...EARLY, ...LATE, "newcomer"]);
    for (const name of ["strict", "early-strict", "guarded"]) {
      await lab.until(`${name} is called by mTLS`, async () => (await get("shop/caller-far", name)) === 200);
    }
    joined = true;
    expect(await tried).toEqual([0]);
    const { answer } = await ask("shop/free", { to: [address("far"), 8080], send: httpGet("/") });
    expect(answer).toContain("URI=spiffe://cluster.local/ns/shop/sa/free");
    // A listener that is replaced cuts what is open, in the end.
    const stats = await lab.askEnvoy("node-1", "/stats?filter=listener_manager.(listener_in_place|.*draining)");
    expect(stats).toMatch(/listener_in_place_updated: [1-9]/u);
    expect(stats).not.toMatch(/draining: [1-9]/u);
    expect((await agent())?.agentPid).toBe(before?.agentPid);
    await lab.ambit("unenroll", "plain", "--name", lab.name);
    await lab.until("it is outside", async () => (await podStatus("newcomer"))?.enrolled === false);
    expect(await load.finish()).toEqual([]);
  });
});
