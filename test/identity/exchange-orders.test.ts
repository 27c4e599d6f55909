import { expect, test } from "vitest";
import { ExchangeLog } from "../../agent/identity/authority/exchange-log.ts";
import { ExchangeView, type StoredExchange } from "../../agent/identity/node/exchange-view.ts";
import type { ExchangeReport } from "../../agent/identity/authority-protocol.ts";
import type { AnnouncedSandbox, RemotePods } from "../../agent/model/exchange.ts";
import { fc } from "../support/random.ts";
import { FakeClock } from "./fake-clock.ts";

const NODES = ["a", "b", "c"] as const;
type NodeName = (typeof NODES)[number];
/** What becomes of a report. `late`: it arrives in the end, and its answer does not. */
type Fate = "arrives" | "unanswered" | "late";
const DAY_MS = 86_400_000;

/** A node, and what its proxy goes by, as the test knows it. */
interface Machine {
  readonly name: NodeName;
  view: ExchangeView;
  stored: StoredExchange | undefined;
  /** What it announced, by version; the newest last. */
  readonly told: { readonly version: number; readonly uids: string }[];
  /** What `captured` was at each revision of this view. */
  seen: Map<number, ReadonlySet<string>>;
  /** UIDs to which its proxy speaks mTLS. */
  goesBy: ReadonlySet<string>;
  /** For each other node: the place in its `told` that this node has come to, at the least. */
  readonly reached: Map<NodeName, number>;
}

const uidsIn = (pods: RemotePods): ReadonlySet<string> =>
  new Set([...pods.keys()].map((pod) => pod.replace(/^.*\//u, "")));
const uidsOf = (uids: Iterable<string>, node: NodeName): string =>
  [...uids]
    .filter((uid) => uid.startsWith(node))
    .toSorted()
    .join();

/** An authority and three nodes whose messages come late, or never. */
class World {
  readonly clock = new FakeClock();
  readonly machines = NODES.map((name) => this.#machine(name));
  #heard = new Map<string, number>();
  #instance = 0;
  #log = this.#open();
  readonly #late: { readonly from: NodeName; readonly report: ExchangeReport }[] = [];

  #machine(name: NodeName): Machine {
    const view = new ExchangeView(undefined, this.clock);
    return { name, view, stored: undefined, told: [], seen: new Map(), goesBy: new Set(), reached: new Map() };
  }

  #find(node: NodeName): Machine {
    const found = this.machines.find(({ name }) => name === node);
    if (found === undefined) throw new Error(`no node ${node}`);
    return found;
  }

  #open(): ExchangeLog {
    const validUntil = new Map(NODES.map((name) => [name, this.clock.now() + 1_000 * DAY_MS]));
    const nodes = { validUntil: () => validUntil, heard: () => this.#heard };
    this.#instance++;
    return new ExchangeLog({ instance: `i${this.#instance}`, clock: this.clock, nodes, nodeOf: () => undefined });
  }

  restartAuthority(): void {
    this.#heard = new Map();
    this.#log = this.#open();
  }

  restartAgent(node: NodeName): void {
    const machine = this.#find(node);
    machine.view = new ExchangeView(machine.stored && structuredClone(machine.stored), this.clock);
    machine.seen = new Map();
    this.#look(machine);
  }

  announce(node: NodeName, sandboxes: readonly AnnouncedSandbox[]): void {
    const machine = this.#find(node);
    const before = machine.told.at(-1);
    const version = machine.view.announce(sandboxes);
    const uids = uidsOf(new Set(sandboxes.map(({ uid }) => uid)), machine.name);
    if (version === before?.version) expect(uids).toBe(before.uids);
    else {
      expect(version).toBeGreaterThan(before?.version ?? 0);
      machine.told.push({ version, uids });
    }
    this.#look(machine);
  }

  follow(node: NodeName, back: number): void {
    const machine = this.#find(node);
    const { view, seen } = machine;
    const revision = Math.max(view.revision - back, ...[...seen.keys()].filter((one) => one < view.revision - back));
    const goesBy = seen.get(revision);
    if (goesBy === undefined) return;
    machine.goesBy = goesBy;
    for (const one of seen.keys()) if (one < revision) seen.delete(one);
    view.follow(revision);
    this.#look(machine);
  }

  report(node: NodeName, fate: Fate): void {
    const machine = this.#find(node);
    const next = machine.view.nextReport();
    if (next === undefined) return;
    if (fate === "late") {
      this.#late.push({ from: machine.name, report: next.report });
      return;
    }
    const standing = this.#deliver(machine.name, next.report);
    if (fate === "arrives") machine.view.reported(next, standing);
    this.#look(machine);
  }

  deliverLate(index: number): void {
    const [message] = this.#late.splice(index, 1);
    if (message !== undefined) this.#deliver(message.from, message.report);
  }

  #deliver(from: NodeName, report: ExchangeReport) {
    this.#heard.set(from, this.clock.now());
    this.#log.report(from, report);
    this.#judge();
    return this.#log.standing(from);
  }

  poll(node: NodeName, isAnswered: boolean): void {
    const machine = this.#find(node);
    this.#heard.set(machine.name, this.clock.now());
    const question = machine.view.question();
    const news = this.#log.news(machine.name, question);
    if (!this.#log.hasNews(machine.name, question)) expect(news.records).toEqual([]);
    if (!isAnswered) return;
    machine.view.learn(news);
    this.#look(machine);
  }

  pass(ms: number): void {
    this.clock.advance(ms);
    this.#log.refresh();
    this.#judge();
  }

  /** All nodes report and hear what there is. */
  exchange(): void {
    for (const { name } of this.machines) this.report(name, "arrives");
    for (const { name } of this.machines) this.poll(name, true);
  }

  /** Everything arrives until nothing is left to say. */
  settle(): void {
    for (let round = 0; round < 6; round++) {
      this.clock.advance(1);
      for (const machine of this.machines) {
        this.report(machine.name, "arrives");
        this.poll(machine.name, true);
        this.follow(machine.name, 0);
        this.report(machine.name, "arrives");
      }
    }
  }

  /** What each agent sees of another node is what that node announced, and never something that came before. */
  #look(machine: Machine): void {
    const { view, seen, reached } = machine;
    seen.set(view.revision, uidsIn(view.captured));
    machine.stored = view.toStore() ?? machine.stored;
    for (const other of this.machines) {
      if (other === machine) continue;
      const uids = uidsOf(uidsIn(view.captured), other.name);
      const from = reached.get(other.name) ?? -1;
      const at = from < 0 && uids === "" ? from : other.told.findIndex((one, i) => i >= from && one.uids === uids);
      expect(at, `${machine.name} sees ${uids} of ${other.name}`).toBeGreaterThanOrEqual(from);
      reached.set(other.name, at);
    }
  }

  /** What the authority says is followed, all other nodes go by, or by something later. */
  #judge(): void {
    for (const { name, told } of this.machines) {
      const { followed } = this.#log.standing(name);
      expect(followed).not.toBe("alone");
      if (followed === "alone" || followed === 0) continue;
      const since = told.filter(({ version }) => version >= followed).map(({ uids }) => uids);
      expect(since.length).toBeGreaterThan(0);
      for (const other of this.machines) {
        if (other.name !== name) expect(since, `${other.name} goes by`).toContain(uidsOf(other.goesBy, name));
      }
    }
  }
}

interface Step {
  /** For the report of a failure. */
  readonly what: string;
  readonly run: (world: World) => void;
}

const step = (what: string, run: (world: World) => void): Step => ({ what, run });
const who = fc.constantFrom(...NODES);
const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(who, fc.subarray(["1", "2", "3"]), fc.constantFrom("x", "y")).map(([node, numbers, cookie]) => {
      const sandboxes = numbers.map((number) => ({ uid: `${node}${number}`, cookie, addresses: [] }));
      return step(`${node} announces ${numbers.join()} ${cookie}`, (world) => world.announce(node, sandboxes));
    }),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(who, fc.constantFrom<Fate[]>("arrives", "unanswered", "late"))
      .map(([node, fate]) => step(`report of ${node}: ${fate}`, (world) => world.report(node, fate))),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        who,
        fc.integer({ min: 0, max: 3 }).map((one) => one > 0),
      )
      .map(([node, isAnswered]) => step(`${node} asks: ${isAnswered}`, (world) => world.poll(node, isAnswered))),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(who, fc.nat(2))
      .map(([node, back]) => step(`${node} follows, -${back}`, (world) => world.follow(node, back))),
  },
  { weight: 2, arbitrary: fc.nat(3).map((at) => step(`late report ${at}`, (world) => world.deliverLate(at))) },
  { weight: 2, arbitrary: fc.constant(step("all exchange", (world) => world.exchange())) },
  {
    weight: 2,
    arbitrary: fc.nat(1).map((back) =>
      step(`all follow, -${back}`, (world) => {
        for (const name of NODES) world.follow(name, back);
      }),
    ),
  },
  { weight: 1, arbitrary: who.map((node) => step(`${node} restarts`, (world) => world.restartAgent(node))) },
  { weight: 1, arbitrary: fc.constant(step("the authority restarts", (world) => world.restartAuthority())) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1, 100, 61_000).map((ms) => step(`${ms} ms pass`, (world) => world.pass(ms))),
  },
);

test("in any order of reports, news, losses and restarts, no tombstone is undone and nothing is followed too early", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 120, size: "max" }), (chosen) => {
      const world = new World();
      for (const { run } of chosen) run(world);
      world.settle();
      for (const machine of world.machines) {
        const others = world.machines.filter((one) => one !== machine);
        for (const other of others) {
          expect(uidsOf(uidsIn(machine.view.captured), other.name)).toBe(other.told.at(-1)?.uids ?? "");
        }
        expect(machine.view.nextReport()).toBeUndefined();
        expect(machine.view.followed).toBe(machine.told.at(-1)?.version ?? 0);
        expect(machine.view.waitingFor).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});
