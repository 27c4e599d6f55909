import { afterAll, beforeAll, expect, test } from "vitest";
import { tryRun } from "../../deploy/lab/machine/run-command.ts";
import { setEnrollment } from "../../deploy/lab/control/client.ts";
import { describePrivileged } from "../support/privileges.ts";
import { TestLab } from "./lab-fixture.ts";

const MANIFEST = `
{ apiVersion: v1, kind: Namespace, metadata: { name: shop, labels: { team: a } } }
---
apiVersion: v1
kind: Pod
metadata: { name: sleeper, namespace: shop }
spec: { containers: [{ name: main, command: [sleep, "1000"] }] }
`;

describePrivileged("two labs on one machine", () => {
  let one: TestLab;
  let other: TestLab;
  beforeAll(async () => {
    one = new TestLab({ "a.yaml": MANIFEST });
    other = new TestLab({ "a.yaml": MANIFEST });
    for (const up of await Promise.all([one.up(), other.up("--nodes", "1")])) expect(up.stderr).toContain("ready:");
  });
  afterAll(async () => {
    await Promise.all([one.remove(), other.remove()]);
  });

  test("have the same addresses and know nothing of each other; the host's network shows neither", async () => {
    const [first, second] = [await one.status(), await other.status()];
    expect(first.pods[0]?.ip).toBe(second.pods[0]?.ip);
    expect(first.pods[0]?.netns).not.toBe(second.pods[0]?.netns);
    const links = await tryRun("ip", ["-o", "addr"]);
    expect(links.stdout).not.toMatch(/10\.244\.|172\.30\./);
    expect((await other.run("down")).code).toBe(0);
    expect(await other.traces()).toEqual([]);
    expect((await one.exec("shop/sleeper", "echo", "still here")).stdout).toBe("still here\n");
  });

  test("a name that is taken with another state folder is refused", async () => {
    const twin = new TestLab({ "a.yaml": MANIFEST });
    const up = await tryRunUp(twin, one.name);
    expect(up).toContain("runs on this machine with another state folder");
    await twin.remove();
    expect((await one.status()).ready).toBe(true);
  });

  test("a label that 'enroll' sets is in the resolved objects, until the file says something else", async () => {
    const before = process.env["AMBIT_STATE_DIR"];
    process.env["AMBIT_STATE_DIR"] = one.state;
    try {
      interface Labelled {
        readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
      }
      const label = (kind: string): string | undefined =>
        one.resolved<Labelled>(kind)[0]?.metadata.labels["ambit.dev/dataplane-mode"];
      await setEnrollment(one.name, "shop", true);
      await expect.poll(() => label("namespaces")).toBe("ambient");
      expect(one.resolved<Labelled>("namespaces")[0]?.metadata.labels["team"]).toBe("a");
      await setEnrollment(one.name, "shop/sleeper", false);
      await expect.poll(() => label("pods")).toBe("none");
      await expect(setEnrollment(one.name, "nowhere", true)).rejects.toThrow("the lab has no namespace nowhere");
      one.write("a.yaml", MANIFEST.replace("team: a", "ambit.dev/dataplane-mode: none"));
      await expect.poll(() => one.resolved("namespaces")).toEqual([]);
    } finally {
      if (before === undefined) delete process.env["AMBIT_STATE_DIR"];
      else process.env["AMBIT_STATE_DIR"] = before;
    }
  });
});

async function tryRunUp(lab: TestLab, name: string): Promise<string> {
  return (await lab.up("--name", name)).stderr;
}
