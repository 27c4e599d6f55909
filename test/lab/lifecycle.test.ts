import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { isRunning, TestLab } from "./lab-fixture.ts";

const SLEEPER = `
apiVersion: v1
kind: Pod
metadata: { name: sleeper, namespace: shop }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: main, command: [sh, -c, "echo begun; exec sleep 1000"], env: [{ name: GREETING, value: hello }] }
    - { name: stubborn, command: [sh, -c, "trap '' TERM; sleep 1000 & wait; sleep 1000"] }
`;

describePrivileged("a lab's life", () => {
  let lab: TestLab;
  beforeEach(() => {
    lab = new TestLab({ "pods.yaml": SLEEPER });
  });
  afterEach(() => lab.remove());

  test("comes up, runs commands as its containers do, and leaves nothing behind", async () => {
    const up = await lab.up();
    expect(up.stderr).toContain("ready: 2 nodes, 1 pods");
    expect(up.code).toBe(0);

    const { nodes, pods } = await lab.status();
    expect(nodes.map(({ name, ready }) => [name, ready])).toEqual([
      ["node-1", true],
      ["node-2", true],
    ]);
    expect(pods[0]).toMatchObject({
      namespace: "shop",
      name: "sleeper",
      node: "node-1",
      ip: "10.244.1.2",
      ready: true,
    });
    const pids = pods[0]?.containers.map(({ pid }) => pid ?? 0) ?? [];
    expect(pids.every(isRunning)).toBe(true);

    expect(await lab.exec("shop/sleeper", "sh", "-c", "echo $GREETING; hostname; exit 7")).toMatchObject({
      code: 7,
      stdout: "hello\nsleeper\n",
    });
    expect(await lab.run("exec", ["shop/sleeper", "--", "cat"], "through a pipe")).toMatchObject({
      code: 0,
      stdout: "through a pipe",
    });
    expect((await lab.exec("shop/sleeper", "sh", "-c", "kill -9 $$")).code).toBe(137);
    expect((await lab.exec("shop/nobody", "true")).stderr).toContain("the lab has no pod shop/nobody");
    expect((await lab.run("logs", ["shop/sleeper"])).stdout).toBe("begun\n");
    expect((await lab.up()).stderr).toContain("there is a lab named");

    expect((await lab.run("down")).code).toBe(0);
    expect(await lab.traces()).toEqual([]);
    const again = await lab.run("down");
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain("there is no lab named");
  });

  test("a supervisor that was killed leaves nothing that 'down' does not find", async () => {
    await lab.up();
    const { pid } = JSON.parse(readFileSync(join(lab.root, "supervisor.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    await expect.poll(() => isRunning(pid)).toBe(false);
    expect((await lab.run("status")).stderr).toContain("to remove what is left of it");
    expect((await lab.run("down")).code).toBe(0);
    expect(await lab.traces()).toEqual([]);
  });

  test("after a supervisor that was killed the lab can be started again at once", async () => {
    await lab.up();
    const { pid } = JSON.parse(readFileSync(join(lab.root, "supervisor.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    await expect.poll(() => isRunning(pid)).toBe(false);
    expect((await lab.up()).code).toBe(0);
    expect((await lab.status()).ready).toBe(true);
  });

  test.each(["SIGINT", "SIGKILL"] as const)(
    "in the foreground it does not outlive its command (%s)",
    async (signal) => {
      const command = lab.start("up", ["--manifests", lab.manifests, "--no-agents"]);
      const ended = new Promise<number | null>((resolve) => command.once("exit", resolve));
      await expect.poll(async () => (await lab.run("status")).code).toBe(0);
      await lab.until(({ ready }) => ready);
      command.kill(signal);
      expect(await ended).toBe(signal === "SIGINT" ? 0 : null);
      await expect.poll(() => lab.traces()).toEqual([]);
    },
  );

  test("'up' fails where there are no manifests", async () => {
    const up = await lab.run("up", ["--manifests", join(lab.folder, "nowhere"), "--detach", "--no-agents"]);
    expect(up.code).toBe(1);
    expect(up.stderr).toContain("nowhere cannot be read");
    expect(await lab.traces()).toEqual([]);
  });
});

// Side by side, because each gets time for a pod to start, to fail and to report it on a slow machine.
describePrivileged("a lab that does not come up", () => {
  test.concurrent.each([
    ["ends at once", "command: [sh, -c, 'echo out of cheese; exit 3']", "out of cheese"],
    ["is not there", "command: [no-such-command]", "no-such-command"],
    ["is not named", "image: node:22", "spec.containers[0].command"],
    ["is never ready", "command: [sleep, '1000'], readinessProbe: { tcpSocket: { port: 81 } }", "10.244.1.2:81"],
  ])("because a pod's command %s says why, and leaves nothing", async (_, container, reason) => {
    const lab = new TestLab({
      "pods.yaml": `{ apiVersion: v1, kind: Pod, metadata: { name: poor }, spec: { containers: [{ name: c, ${container} }] } }`,
    });
    try {
      const up = await lab.up("--timeout", "15");
      expect(up.code).toBe(1);
      expect(up.stderr).toContain("Pod default/poor");
      expect(up.stderr).toContain(reason);
      expect(await lab.traces()).toEqual([]);
    } finally {
      await lab.remove();
    }
  });
});
