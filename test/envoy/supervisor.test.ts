import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ensureEnvoy } from "../../agent/envoy/find-envoy.ts";
import { EnvoySupervisor } from "../../agent/envoy/supervisor.ts";
import { createLogger } from "../../agent/lib/log.ts";
import { AdsServer } from "../../agent/envoy/ads/ads-server.ts";
import { EMPTY_SNAPSHOT } from "../../agent/xds/snapshot.ts";
import { eventually } from "../support/eventually.ts";
import { describePrivileged } from "../support/privileges.ts";

const log = createLogger("test", "silent");
const cgroupRoot =
  ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`)) ?? "";
let stateDir: string;
let cgroup: string;
let ads: AdsServer;
let last: EnvoySupervisor;

async function supervise(node = "node-1", patienceMs = 10_000, script?: string): Promise<EnvoySupervisor> {
  const binary = await ensureEnvoy();
  const path = script === undefined ? binary.path : join(stateDir, "fake-envoy");
  if (script !== undefined) writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const adsSocket = join(stateDir, "ads.sock");
  last = new EnvoySupervisor(
    { ...binary, path },
    { node, stateDir, adsSocket, cgroup, concurrency: 1, patienceMs, log },
  );
  await last.start();
  return last;
}

async function ready(supervisor: EnvoySupervisor): Promise<number> {
  await eventually(() => expect(supervisor.status().ready).toBe(true));
  return supervisor.status().pid ?? 0;
}

/** The processes of the cgroup: the shell that is Envoy's parent, and Envoy. */
function processes(): readonly number[] {
  return readFileSync(join(cgroup, "cgroup.procs"), "utf8").trim().split("\n").filter(Boolean).map(Number);
}

/** The shell of one that was ended may take a moment to follow it. */
async function alone(pid: number): Promise<void> {
  await eventually(() => expect(processes()).toHaveLength(2));
  expect(processes()).toContain(pid);
}

describePrivileged("the supervisor with a real Envoy", () => {
  beforeEach(async () => {
    stateDir = mkdtempSync(join(tmpdir(), "ambit-envoy-"));
    cgroup = join(cgroupRoot, `amb-envoy-${process.pid}`);
    mkdirSync(cgroup);
    ads = new AdsServer(log, () => Promise.resolve(new Set()));
    await ads.start(join(stateDir, "ads.sock"));
    ads.publish(EMPTY_SNAPSHOT);
  });

  afterEach(async () => {
    await last.stop();
    ads.close();
    await eventually(() => expect(processes()).toEqual([]));
    rmdirSync(cgroup);
    rmSync(stateDir, { recursive: true, force: true });
  });

  it("starts another Envoy when one is killed", async () => {
    const supervisor = await supervise();
    const first = await ready(supervisor);
    const killedAt = performance.now();
    process.kill(first, "SIGKILL");
    await eventually(() => expect(supervisor.status().pid).not.toBe(first));
    const second = await ready(supervisor);
    expect(performance.now() - killedAt).toBeLessThan(5_000);
    expect(second).not.toBe(first);
    expect(supervisor.status().restarts).toBe(1);
    await alone(second);
  });

  it("keeps the memory of Envoy, which holds private keys, out of core dumps", async () => {
    const pid = await ready(await supervise());
    expect(readFileSync(`/proc/${pid}/coredump_filter`, "utf8").trim()).toBe("00000000");
    expect(readFileSync(`/proc/${pid}/limits`, "utf8")).toMatch(/^Max core file size\s+0\s+0\s/mu);
  });

  it("adopts the Envoy of the supervisor before it", async () => {
    const first = await supervise();
    const pid = await ready(first);
    first.release();
    const second = await supervise();
    expect(await ready(second)).toBe(pid);
    expect(second.status().restarts).toBe(0);
    await alone(pid);
  });

  it("ends an Envoy that was started differently, and starts its own", async () => {
    const first = await supervise("old-name");
    const pid = await ready(first);
    first.release();
    const own = await ready(await supervise("new-name"));
    expect(own).not.toBe(pid);
    await alone(own);
  });

  it("ends an Envoy of which only the pid file tells, as after a kill in mid-start", async () => {
    const first = await supervise();
    const pid = await ready(first);
    first.release();
    rmSync(join(stateDir, "envoy.pid.json"));
    await alone(await ready(await supervise()));
    await eventually(() => expect(existsSync(`/proc/${pid}`)).toBe(false));
  });

  it("leaves nothing behind when it is stopped while Envoy starts anew", async () => {
    const supervisor = await supervise();
    process.kill(await ready(supervisor), "SIGKILL");
    await eventually(() => expect(supervisor.status().ready).toBe(false), 1);
    await supervisor.stop();
    await eventually(() => expect(processes()).toEqual([]));
  });

  it("replaces an Envoy that is stopped, after a time, and says so before", async () => {
    // Longer than an Envoy takes to start where there is little CPU: that would be replaced, too.
    const supervisor = await supervise("node-1", 3_000);
    const first = await ready(supervisor);
    expect(supervisor.status().trouble).toBeUndefined();
    process.kill(first, "SIGSTOP");
    await eventually(() => expect(supervisor.status().trouble?.what).toMatch(/stopped by a signal.* 3 s/u));
    expect(supervisor.status()).toMatchObject({ pid: first, ready: false });
    await eventually(() => expect(supervisor.status().pid).not.toBe(first));
    const second = await ready(supervisor);
    expect(supervisor.status()).toMatchObject({ restarts: 1, trouble: undefined });
    await alone(second);
  });

  it("replaces an Envoy that never answers", async () => {
    const supervisor = await supervise("node-1", 400, "exec sleep 1000");
    const { pid } = supervisor.status();
    await eventually(() => expect(supervisor.status().trouble?.what).toContain("does not answer"));
    await eventually(() => expect(supervisor.status().pid).not.toBe(pid));
  });

  it("waits longer and longer for an Envoy that ends at once, tells its last words, and starts it once it can", async () => {
    const supervisor = await supervise(
      "node-1",
      10_000,
      `if [ -e ${stateDir}/mended ]; then exec ${(await ensureEnvoy()).path} "$@"; fi
       date +%s.%N >> ${stateDir}/starts; echo "[critical] no such thing as luck" >&2; exit 3`,
    );
    const startedAt = Date.now();
    await eventually(() => expect(supervisor.status().trouble?.what).toContain("4 times in a row"));
    expect(supervisor.status()).toMatchObject({
      ready: false,
      trouble: {
        what: expect.stringMatching(/^Envoy ended with exit code 3 right after its start, /u),
        said: "[critical] no such thing as luck",
        remedy: expect.stringContaining(join(stateDir, "envoy.log")),
      },
    });
    // 0, 100, 200, 400 ms between starts.
    const starts = readFileSync(join(stateDir, "starts"), "utf8").trim().split("\n").length;
    expect(starts).toBeLessThanOrEqual(3 + (Date.now() - startedAt) / 150);
    writeFileSync(join(stateDir, "mended"), "");
    await ready(supervisor);
    expect(supervisor.status().trouble).toBeUndefined();
  });
});
