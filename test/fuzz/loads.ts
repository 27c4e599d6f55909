import { join } from "node:path";
import { forgetPeak, residentMegabytes } from "../attacks/flood.ts";
import { APPS, MeshLab } from "../mesh/mesh-lab.ts";
import { ATTACKS, LOAD_OBJECTS, type LoadAttack } from "./load-attacks.ts";
import type { FuzzOptions, FuzzResult, Suite } from "./suite.ts";

/** Calls of another tenant are timed for so long during each attack. */
const SECONDS = 10;
const TIMES_SLOWER = 3;
const TIMES_LARGER = 2;

/**
 * One tenant, or strangers, send and write what costs the node the most. No call of another tenant fails, its 99th percentile is at
 * most three times that under the same load aimed outside the mesh (median of the rounds), and no process doubles its memory.
 */
export const loads: Suite = {
  name: "loads",
  summary: "floods of connections, ports, requests, codes and objects: calls of another tenant, and memory",
  size: { count: 3 },
  quick: { count: 1 },
  run: runLoads,
};

interface Timed {
  readonly answered: number;
  readonly failed: number;
  /** In milliseconds. */
  readonly p99: number;
}

async function runLoads({ count, progress }: FuzzOptions): Promise<FuzzResult> {
  const lab = new MeshLab("load");
  const figures: Record<string, number | string> = {};
  const failures: string[] = [];
  lab.write("all.yaml", LOAD_OBJECTS);
  try {
    progress("a lab comes up");
    await lab.up();
    const { pods } = await lab.status();
    const address = (name: string): string => pods.find((each) => each.name === name)?.ip ?? "";
    const attacked = async (attack: LoadAttack, aim: string | undefined): Promise<Timed> => {
      const script = join(APPS, "timed.mjs");
      const timed = lab.exec("shop/client", process.execPath, script, "http://server/", String(SECONDS));
      const over = timed.then(() => undefined);
      await (aim === undefined ? over : attack.run(lab, address(aim), SECONDS, () => over));
      return JSON.parse((await timed).stdout) as Timed;
    };
    await lab.calls("shop/client", "http://server/", 10);
    const node = (await lab.processes()).find(({ name }) => name === "node-1");
    const pids = { envoy: node?.envoyPid ?? 0, agent: node?.agentPid ?? 0 };
    for (const attack of ATTACKS) {
      const before = { envoy: residentMegabytes(pids.envoy), agent: residentMegabytes(pids.agent) };
      for (const pid of Object.values(pids)) forgetPeak(pid);
      const rounds: { readonly outside: number; readonly mesh: number }[] = [];
      for (let round = 0; round < count; round++) {
        progress(`${attack.name}, round ${round + 1} of ${count}`);
        const outside = await attacked(attack, attack.outside);
        const mesh = await attacked(attack, attack.mesh);
        rounds.push({ outside: outside.p99, mesh: mesh.p99 });
        if (mesh.failed > 0) failures.push(`${attack.name}: ${mesh.failed} of ${mesh.answered} calls failed`);
      }
      const ratio = median(rounds.map(({ mesh, outside }) => mesh / Math.max(1, outside)));
      const times = rounds.map(({ mesh, outside }) => `${mesh.toFixed(1)}/${outside.toFixed(1)}`).join(" ");
      figures[`${attack.name}: times slower`] = `${ratio.toFixed(2)} (${times} ms)`;
      if (ratio > TIMES_SLOWER) failures.push(`${attack.name}: calls of others are ${ratio.toFixed(1)} times slower`);
      for (const what of ["envoy", "agent"] as const) {
        const peak = Math.round(residentMegabytes(pids[what], "peak"));
        figures[`${attack.name}: MB of ${what}`] = `${Math.round(before[what])} to ${peak}`;
        if (peak < TIMES_LARGER * before[what]) continue;
        failures.push(`${attack.name}: ${what} grew from ${Math.round(before[what])} MB to ${peak} MB`);
      }
    }
  } finally {
    await lab.down();
  }
  return { figures, failures };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
