import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { flood, forgetPeak, residentMegabytes, type Flood } from "../attacks/flood.ts";
import { APPS, MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { join } from "node:path";
import type { FuzzOptions, FuzzResult, Suite } from "./suite.ts";

/** Calls of another tenant are timed for so long during each attack. */
const SECONDS = 10;
const TIMES_SLOWER = 3;
const TIMES_LARGER = 2;

/** Two pods at a time hold many connections open, or dial many ports. Nothing of it may reach another tenant of the node. */
export const connectionLoad: Suite = {
  name: "connection-load",
  summary: "floods of connections and ports, in rounds: calls of another tenant, and memory",
  size: { count: 3 },
  quick: { count: 1 },
  run: runConnectionLoad,
};

interface Attack {
  readonly name: string;
  readonly from: readonly string[];
  readonly flood: (host: string) => Flood;
  /** A pod in the mesh, and one outside it that gets the same load. */
  readonly aims: readonly [mesh: string, outside: string];
}

const STRANGERS = ["outside/stranger-1", "outside/stranger-2"];
const ATTACKS: readonly Attack[] = [
  { name: "half", from: STRANGERS, flood: (host) => ["half", host, 8080, 12_000], aims: ["victim", "plain"] },
  { name: "silent", from: STRANGERS, flood: (host) => ["silent", host, 8080, 12_000], aims: ["victim", "plain"] },
  { name: "ports", from: ["evil/mallory"], flood: (host) => ["ports", host, 10_000, 6_000], aims: ["target", "plain"] },
];

interface Timed {
  readonly answered: number;
  readonly failed: number;
  readonly p99: number;
}

async function runConnectionLoad({ count, progress }: FuzzOptions): Promise<FuzzResult> {
  const lab = new MeshLab("load");
  const figures: Record<string, number | string> = {};
  const failures: string[] = [];
  lab.write("all.yaml", [
    namespace("shop", true),
    namespace("evil", true),
    namespace("outside", false),
    ...[pod("shop", "client", "node-1"), pod("shop", "server", "node-1", { server: true })],
    ...[pod("shop", "victim", "node-1", { server: true }), pod("evil", "mallory", "node-1")],
    ...[pod("evil", "target", "node-1", { server: true }), pod("outside", "plain", "node-1", { server: true })],
    ...STRANGERS.map((name) => pod("outside", name.slice("outside/".length), "node-1")),
    service("shop", "server", { app: "server" }),
    service("shop", "victim", { app: "victim" }),
  ]);
  try {
    progress("a lab comes up");
    await lab.up();
    const status: LabStatus = await lab.status();
    const address = (name: string): string => status.pods.find((each) => each.name === name)?.ip ?? "";
    const timed = async (): Promise<Timed> => {
      const script = join(APPS, "timed.mjs");
      const { stdout } = await lab.exec("shop/client", process.execPath, script, "http://server/", String(SECONDS));
      return JSON.parse(stdout) as Timed;
    };
    const attacked = async (attack: Attack, aim: string): Promise<Timed> => {
      const result = timed();
      const over = result.then(() => undefined);
      await Promise.all(attack.from.map((from) => flood(lab, from, attack.flood(address(aim)), () => over)));
      return result;
    };
    await lab.calls("shop/client", "http://server/", 10);
    const node = (await lab.processes()).find(({ name }) => name === "node-1");
    const pids = { envoy: node?.envoyPid ?? 0, agent: node?.agentPid ?? 0 };
    const before = { envoy: residentMegabytes(pids.envoy), agent: residentMegabytes(pids.agent) };
    for (const pid of Object.values(pids)) forgetPeak(pid);
    for (const attack of ATTACKS) {
      const ratios: number[] = [];
      for (let round = 0; round < count; round++) {
        progress(`${attack.name}, round ${round + 1} of ${count}`);
        const outside = await attacked(attack, attack.aims[1]);
        const mesh = await attacked(attack, attack.aims[0]);
        ratios.push(mesh.p99 / Math.max(1, outside.p99));
        if (mesh.failed > 0) failures.push(`${attack.name}: ${mesh.failed} of ${mesh.answered} calls failed`);
      }
      const ratio = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0;
      figures[`${attack.name}: times slower`] = ratio.toFixed(2);
      if (ratio > TIMES_SLOWER) failures.push(`${attack.name}: calls of others are ${ratio.toFixed(1)} times slower`);
      for (const what of ["envoy", "agent"] as const) {
        const peak = Math.round(residentMegabytes(pids[what], "peak"));
        figures[`${attack.name}: MB of ${what} at most`] = peak;
        if (peak < TIMES_LARGER * before[what]) continue;
        failures.push(`${attack.name}: ${what} grew from ${Math.round(before[what])} MB to ${peak} MB`);
      }
    }
  } finally {
    await lab.down();
  }
  return { figures, failures };
}
