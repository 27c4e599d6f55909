import { rmSync } from "node:fs";
import { join } from "node:path";
import { BenchLab, type LabStatus } from "../bench/bench-lab.ts";
import { AuthorityAway } from "./authority-away.ts";
import { outsideOf, judge, judgeGrowth, WARM_MS } from "./judge.ts";
import type { Failure, Finding, Growth, Outage, Sample } from "./judge.ts";
import { takeSample } from "./sample.ts";
import { SoakClient } from "./soak-client.ts";
import { client, deployment, namespace, policy, route, service } from "./soak-manifests.ts";

export interface SoakResult {
  readonly minutes: number;
  readonly right: Readonly<Record<string, number>>;
  readonly failed: number;
  /** Failures at a time when every Envoy was there. */
  readonly unexcused: readonly Failure[];
  readonly outages: readonly Outage[];
  readonly agentKills: number;
  readonly authorityOutages: number;
  readonly changes: number;
  readonly findings: readonly Finding[];
  /** None of a short run. */
  readonly growth: readonly Growth[];
  readonly samples: readonly Sample[];
}

export interface SoakOptions {
  readonly root: string;
  /** `test/soak`. */
  readonly folder: string;
  readonly minutes: number;
  readonly progress: (text: string) => void;
}

const TURN_MS = 5_000;
const SAMPLE_MS = 10_000;
const CALM_SAMPLES = 5;

/** Everything that happens to a mesh in a month, in an hour: steady load, and something changes every five seconds. */
export async function soak({ root, folder, minutes, progress }: SoakOptions): Promise<SoakResult> {
  const lab = new BenchLab(root, "soak");
  const clients: SoakClient[] = [];
  try {
    lab.write("mesh.yaml", namespace("mesh", true), client("mesh", "caller", "node-1"), service("mesh", "steady"));
    lab.write("steady.yaml", deployment(folder, "mesh", "steady", 2), service("mesh", "scaled"));
    lab.write("flip.yaml", client("flip", "caller", "node-2"), service("flip", "flipped"));
    lab.write("flipped.yaml", deployment(folder, "flip", "flipped", 2));
    const world = new World(lab, folder);
    world.rest();
    await lab.up(2);
    const script = (...services: readonly string[]) => [
      process.execPath,
      `${folder}/apps/soak-client.mjs`,
      ...services,
    ];
    clients.push(new SoakClient([...lab.inPod("mesh/caller"), ...script("steady", "scaled")]));
    clients.push(new SoakClient([...lab.inPod("flip/caller"), ...script("flipped.flip", "steady.mesh")]));

    const started = Date.now();
    const end = started + minutes * 60_000;
    const authority = new AuthorityAway(started, end);
    const samples: Sample[] = [];
    const outages: Outage[] = [];
    let agentKills = 0;
    let turns = 0;
    // What a fresh process has not needed yet is no measure of what it keeps.
    const warm = started + Math.min(WARM_MS, (end - started) / 4);
    let early: readonly Sample[] = [];
    await calm(lab, samples);
    for (let sampled = 0; Date.now() < end; turns++) {
      if (clients.some((each) => each.ended)) throw new Error("a client of the soak has ended by itself");
      if (early.length === 0 && Date.now() > warm) {
        world.rest();
        early = await calm(lab, samples);
      }
      const turn = Date.now();
      const kind = turns % 12;
      await authority.follow(turn, () => lab.status());
      // Keys are in the memory of agent and Envoy: while nobody signs new ones, only one of the two is killed.
      if (kind === 5 || (kind === 11 && authority.isAway)) agentKills += await killAgent(lab);
      else if (kind === 11) outages.push(await killEnvoy(lab));
      else world.change(turns);
      if (Date.now() - sampled > SAMPLE_MS) {
        const sample = await takeSample(lab.name, await lab.status());
        if (sample !== undefined) samples.push(sample);
        sampled = Date.now();
      }
      const failed = clients.reduce((count, { failures }) => count + outsideOf(failures, outages).length, 0);
      progress(`${Math.round((Date.now() - started) / 1000)} s: ${turns} changes, ${failed} failures without excuse`);
      await pause(turn + TURN_MS - Date.now());
    }
    authority.end();
    world.rest();
    const late = await calm(lab, samples);
    await Promise.all(clients.map((each) => each.close()));
    const failures = clients.flatMap((each) => each.failures);
    return {
      minutes,
      right: total(clients.map((each) => each.right)),
      failed: failures.length,
      unexcused: outsideOf(failures, outages),
      outages,
      agentKills,
      authorityOutages: authority.times,
      changes: turns,
      findings: judge(early, late),
      growth: judgeGrowth(samples),
      samples,
    };
  } finally {
    await Promise.all(clients.map((each) => each.close()));
    await lab.down();
  }
}

/** The manifests that change. */
class World {
  readonly #lab: BenchLab;
  readonly #folder: string;
  readonly #added = new Set<string>();
  #enrolled = true;

  constructor(lab: BenchLab, folder: string) {
    this.#lab = lab;
    this.#folder = folder;
  }

  /** As it is at the beginning and at the end, so that the two can be compared. */
  rest(): void {
    for (const file of this.#added) rmSync(join(this.#lab.manifests, file), { force: true });
    this.#added.clear();
    this.#scale(3);
    this.#label(true);
    this.#lab.write("routes.yaml", route("mesh", "scaled", 0), policy("mesh", 0));
  }

  change(turn: number): void {
    switch (turn % 4) {
      case 0:
        return this.#scale(2 + ((turn / 4) % 4));
      case 1:
        return this.#label(!this.#enrolled);
      case 2:
        return this.#lab.write("routes.yaml", route("mesh", "scaled", turn), policy("mesh", turn));
      default:
        return this.#addService(`service-${turn % 10}.yaml`, `other-${turn}`);
    }
  }

  #addService(file: string, name: string): void {
    this.#added.add(file);
    this.#lab.write(file, service("mesh", name));
  }

  #scale(replicas: number): void {
    this.#lab.write("scaled.yaml", deployment(this.#folder, "mesh", "scaled", replicas));
  }

  #label(enrolled: boolean): void {
    this.#enrolled = enrolled;
    this.#lab.write("flip-namespace.yaml", namespace("flip", enrolled));
  }
}

/** Samples of a lab that has come to rest: all enrolled, nobody on the way. */
async function calm(lab: BenchLab, samples: Sample[]): Promise<readonly Sample[]> {
  await until("the lab has come to rest", async () => {
    const { pods, nodes } = await lab.status();
    return pods.length === 9 && pods.every(({ enrolled, ready }) => enrolled && ready) && nodes.every((n) => n.ready);
  });
  const calmed: Sample[] = [];
  // What has just left is tidied up within seconds; the first of these samples may still see it.
  for (let count = 0; count < CALM_SAMPLES; count++) {
    await pause(3_000);
    const sample = await takeSample(lab.name, await lab.status());
    if (sample !== undefined) calmed.push(sample);
  }
  samples.push(...calmed);
  return calmed;
}

async function killAgent(lab: BenchLab): Promise<number> {
  const { agentPid } = await readyNode(lab);
  process.kill(agentPid, "SIGKILL");
  await until("the agent is back", async () => {
    const node = killedNode(await lab.status());
    return node.agentPid !== agentPid && node.ready;
  });
  return 1;
}

async function killEnvoy(lab: BenchLab): Promise<Outage> {
  const { envoyPid } = await readyNode(lab);
  const from = Date.now();
  process.kill(envoyPid, "SIGKILL");
  await until("Envoy is back", async () => {
    const node = killedNode(await lab.status());
    return node.envoyPid !== envoyPid && node.ready;
  });
  return { from, until: Date.now() };
}

/** An agent that is asked while it is busy does not always tell its pids in time. */
async function readyNode(lab: BenchLab): Promise<LabStatus["nodes"][number]> {
  let node = killedNode(await lab.status());
  await until("the node is ready", async () => (node = killedNode(await lab.status())).ready);
  return node;
}

/** The last one: the first is left alone, so that what its processes keep can be seen over the whole time. */
function killedNode({ nodes }: LabStatus): LabStatus["nodes"][number] {
  const node = nodes.at(-1);
  if (node === undefined) throw new Error("the lab has no nodes");
  return node;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await pause(100)) if (await holds()) return;
  throw new Error(`not within a minute: ${what}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

function total(counts: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const one of counts) for (const [kind, count] of Object.entries(one)) all[kind] = (all[kind] ?? 0) + count;
  return all;
}
