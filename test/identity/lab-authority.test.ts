import { X509Certificate } from "node:crypto";
import { mkdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AuthorityStatus } from "../../agent/identity/authority/authority-status.ts";
import type { AgentStatus } from "../../agent/node/agent-status.ts";
import { describePrivileged } from "../support/privileges.ts";
import { labStateDir, MeshLab, namespace, pod } from "../mesh/mesh-lab.ts";

describePrivileged("the lab's authority", () => {
  const lab = new MeshLab("ca");
  const id = (name: string): string => `spiffe://cluster.local/ns/shop/sa/${name}`;

  const nodes = async (): Promise<readonly AgentStatus[]> => {
    const { stdout } = await lab.ambit("status", "--name", lab.name, "-o", "json");
    return (JSON.parse(stdout) as { nodes: readonly AgentStatus[] }).nodes;
  };
  const identities = async (node: number) => (await nodes())[node]?.certificates?.identities ?? [];
  const serials = async (): Promise<readonly (string | undefined)[]> =>
    (await nodes()).flatMap(({ certificates }) => (certificates?.identities ?? []).map(({ serial }) => serial));
  const authorityPid = async (): Promise<number | null> => (await lab.status()).authorityPid;

  beforeAll(async () => {
    lab.write("shop.yaml", [namespace("shop", true), pod("shop", "web", "node-1"), pod("shop", "api", "node-2")]);
    await lab.up();
  });
  afterAll(() => lab.down());

  test("each node has the certificates of its own pods, and keeps them while the authority is away", async () => {
    await lab.until("both have theirs", async () => (await serials()).every((one) => one !== undefined));
    expect((await identities(0)).map(({ spiffeId }) => spiffeId)).toEqual([id("web")]);
    expect((await identities(1)).map(({ spiffeId }) => spiffeId)).toEqual([id("api")]);
    const before = await serials();

    // A folder where its socket was: what the lab starts in its place ends again, until the folder is gone.
    const pid = await authorityPid();
    if (pid === null) throw new Error("no authority");
    const socket = join(labStateDir(lab.name), "authority/agents.sock");
    renameSync(socket, `${socket}.old`);
    mkdirSync(socket);
    process.kill(pid, "SIGKILL");
    lab.write("more.yaml", [pod("shop", "late", "node-1")]);
    await lab.until("what it lacks is told", async () => {
      const { stdout } = await lab.ambit("status", "--name", lab.name);
      return stdout.includes(`${id("late")} has none yet: the authority at unix:`);
    });
    expect(await serials()).toEqual(expect.arrayContaining([...before, undefined]));
    rmdirSync(socket);
    await lab.until("it is back, and the pod has its certificate", async () => (await serials()).length === 3);
    await lab.until("all have theirs", async () => (await serials()).every((one) => one !== undefined));
    expect(await authorityPid()).not.toBe(pid);
    expect(await serials()).toEqual(expect.arrayContaining([...before]));
  });

  test("'ambit cert' lists, shows and renews them", async () => {
    const cert = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await lab.ambit("cert", ...args, "--name", lab.name);
      return code === 0 ? stdout : `exit ${code}: ${stderr}`;
    };
    expect(await cert("list")).toMatch(new RegExp(`node-2 +${id("api")} +[0-9a-f]{32} +23h 5\\dm +1[0-3]h`, "u"));
    const shown = await cert("show", "shop/web");
    expect(shown).toContain(`identity:   ${id("web")}`);
    expect(new X509Certificate(shown.slice(shown.indexOf("-----BEGIN"))).subjectAltName).toBe(`URI:${id("web")}`);
    expect(await cert("show", "shop/nobody")).toContain("exit 1: ambit: no node has a pod of the identity shop/nobody");
    const before = await serials();
    const rotated = JSON.parse(await cert("rotate", id("web"), "-o", "json")) as { rotated: readonly unknown[] };
    expect(rotated.rotated).toEqual([
      { node: "node-1", spiffeId: id("web"), before: expect.any(String), after: expect.any(String) },
    ]);
    expect((await serials()).filter((serial) => !before.includes(serial))).toHaveLength(1);
  });

  // How it goes on from there is in root-rotation.test.ts, by a clock that need not be waited for.
  test("'ambit authority rotate-root' makes a root that both nodes trust within seconds", async () => {
    const { stdout } = await lab.ambit("authority", "rotate-root", "--name", lab.name);
    expect(stdout).toContain("The root is being replaced: spreading");
    await lab.until("both trust both roots", async () =>
      (await nodes()).every(({ certificates }) => certificates?.roots.length === 2),
    );
    const again = await lab.ambit("authority", "rotate-root", "--name", lab.name);
    expect(again.stderr).toContain("the root is being changed already");
    const status = await lab.ambit("authority", "status", "--name", lab.name, "-o", "json");
    const { rotation, nodes: known } = JSON.parse(status.stdout) as AuthorityStatus;
    expect(rotation?.stage).not.toBe("steady");
    expect(known.map(({ node }) => node)).toEqual(["node-1", "node-2"]);
  });
});
