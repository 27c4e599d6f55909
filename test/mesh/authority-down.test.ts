import { mkdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AgentStatus } from "../../agent/node/agent-status.ts";
import { describePrivileged } from "../support/privileges.ts";
import { labStateDir, MeshLab, namespace, pod, service } from "./mesh-lab.ts";
import { SteadyLoad } from "./steady-load.ts";

describePrivileged("a mesh without its authority", () => {
  const lab = new MeshLab("away");
  const socket = join(labStateDir(lab.name), "authority/agents.sock");
  let load: SteadyLoad | undefined;

  const authorityPid = async (): Promise<number | null> => (await lab.status()).authorityPid;
  const podStatus = async (name: string): Promise<AgentStatus["pods"][number] | undefined> => {
    const { stdout } = await lab.ambit("status", "--name", lab.name, "-o", "json");
    const { nodes } = JSON.parse(stdout) as { readonly nodes: readonly AgentStatus[] };
    return nodes.flatMap(({ pods }) => pods).find((each) => each.name === name);
  };
  /** How a call was made, by the URI that the server was told. */
  const caller = async (from: string, url: string): Promise<string | undefined> => {
    const { status, code, body } = await lab.call(from, url);
    if (status !== 200) throw new Error(`${status} ${code ?? ""} ${body}`);
    return /URI=([^;,"]+)/u.exec(body)?.[1];
  };

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      pod("shop", "caller", "node-1"),
      pod("shop", "far", "node-2", { server: true }),
      service("shop", "far", { app: "far" }),
      ...["fresh-1", "fresh-2"].map((name) => service("shop", name, { app: "far" })),
    ]);
    await lab.up();
    load = await SteadyLoad.start(lab, "shop/caller", { rate: 200, streams: 20, to: ["far"] });
    const pid = await authorityPid();
    if (pid === null) throw new Error("there is no authority");
    // A folder where its socket was: what the lab starts in its place ends again, until the folder is gone.
    renameSync(socket, `${socket}.old`);
    mkdirSync(socket);
    process.kill(pid, "SIGKILL");
  });
  afterAll(async () => {
    load?.kill();
    await lab.down();
  });

  it("goes on with the identities that it has, over connections that are new, too", async () => {
    expect(await caller("shop/caller", "http://fresh-1/")).toBe("spiffe://cluster.local/ns/shop/sa/caller");
  });

  it("lets a new pod wait, and says why", async () => {
    lab.write("late.yaml", [pod("shop", "late", "node-1")]);
    await lab.until("it is told what it waits for", async () => {
      const late = await podStatus("late");
      return (
        late?.enrolled === false && /it waits for its certificate: the authority at unix:/u.test(late.reason ?? "")
      );
    });
    expect(await caller("shop/caller", "http://far/")).toBe("spiffe://cluster.local/ns/shop/sa/caller");
  });

  it("goes on when agents start anew, without keys", async () => {
    // Both: what they call anew is asked of agents that have been told nothing yet.
    await lab.replaceAgents("node-1", "node-2");
    expect(await caller("shop/caller", "http://far/")).toBe("spiffe://cluster.local/ns/shop/sa/caller");
    expect(await caller("shop/caller", "http://fresh-2/")).toBe("spiffe://cluster.local/ns/shop/sa/caller");
    expect((await podStatus("caller"))?.enrolled).toBe(true);
  });

  it("takes the new pod in when the authority is back, and has failed in nothing", async () => {
    rmdirSync(socket);
    await lab.until("it is enrolled", async () => (await podStatus("late"))?.enrolled === true);
    expect(await caller("shop/late", "http://far/")).toBe("spiffe://cluster.local/ns/shop/sa/late");
    expect(await load?.finish()).toEqual([]);
  });
});
