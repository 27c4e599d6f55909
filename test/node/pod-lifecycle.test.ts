import { describe, expect, test } from "vitest";
import { ALONE } from "../../agent/model/exchange.ts";
import { effectsOf, type MeshPhase, type PodState } from "../../agent/model/pod-state.ts";
import {
  JOIN_MS,
  NEW_POD,
  nextWake,
  reduce,
  restoredPod,
  WORKER_LAG_MS,
  type PodEvent,
  type PodRecord,
} from "../../agent/node/pod-lifecycle.ts";
import { fc } from "../support/random.ts";

const GRACE = 5_000;
const SETTINGS = { strictGraceMs: GRACE, whenCaptureIsLost: "refuse" } as const;
const START = 1_000_000;

/** Applies events, each at its time after the start; the record, and the phases that were passed, in order. */
function run(events: readonly (readonly [ms: number, event: PodEvent])[], from: PodRecord = NEW_POD) {
  let record = from;
  const phases: MeshPhase[] = [record.state.phase];
  for (const [ms, event] of events) {
    record = reduce(record, event, START + ms, SETTINGS);
    if (record.state.phase !== phases.at(-1)) phases.push(record.state.phase);
  }
  return { record, phases, effects: effectsOf(record.state) };
}

const label = (labelled: boolean): PodEvent => ({ type: "label", labelled });
const certificate = (has: boolean): PodEvent => ({ type: "certificate", has });
const listener = (stands: boolean): PodEvent => ({ type: "listener", stands });
const followed = (version: number): PodEvent => ({ type: "followed", version });
const told = (version: number): PodEvent => ({ type: "told", version });
const TIME: PodEvent = { type: "time" };

describe("one pod", () => {
  test("joins in one step when its certificate is there, and is STRICT once all nodes follow", () => {
    const joining = run([
      [0, certificate(true)],
      [0, label(true)],
    ]);
    expect(joining.phases).toEqual(["outside", "joining"]);
    expect(joining.effects).toMatchObject({ listeners: "all", delivery: true, inbound: "open", announced: false });
    const { epoch } = joining.record;
    const captured = run(
      [
        [5, { type: "served", epoch }],
        [10, listener(true)],
      ],
      joining.record,
    );
    expect(captured.effects).toEqual({
      ...{ listeners: "all", delivery: true, inbound: "captured", missing: "refuse", outbound: "captured" },
      ...{ announced: true, strict: false },
    });
    const events = [
      [11, told(7)],
      [12, followed(6)],
      [13, followed(7)],
      [13 + WORKER_LAG_MS - 1, TIME],
    ] as const;
    expect(run(events, captured.record).effects.strict).toBe(false);
    expect(run([...events, [13 + WORKER_LAG_MS, TIME]], captured.record).effects.strict).toBe(true);
  });

  test("is STRICT at once where there is no other node, and after the grace where one does not follow", () => {
    const captured = run([
      [0, certificate(true)],
      [0, label(true)],
      [1, { type: "served", epoch: 2 }],
      [2, listener(true)],
      [2, told(1)],
    ]);
    expect(captured.phases.at(-1)).toBe("captured");
    expect(run([[3, followed(ALONE)]], captured.record).effects.strict).toBe(true);
    expect(run([[2 + GRACE - 1, TIME]], captured.record).effects.strict).toBe(false);
    expect(run([[2 + GRACE, TIME]], captured.record).effects.strict).toBe(true);
  });

  test("that waits for its certificate is guarded after a moment, and STRICT after the grace", () => {
    const waiting = run([[0, label(true)]]);
    expect(waiting.effects).toMatchObject({ listeners: "none", inbound: "open" });
    const guarded = run([[200, TIME]], waiting.record);
    expect(guarded.effects).toMatchObject({ listeners: "inbound", inbound: "open", outbound: "open" });
    const captured = run([[210, listener(true)]], guarded.record);
    expect(captured.effects).toMatchObject({ inbound: "captured", outbound: "open", announced: false, strict: false });
    const strict = run([[GRACE, TIME]], captured.record);
    expect(strict.effects).toMatchObject({ inbound: "captured", strict: true });
    // It stays STRICT when its certificate comes, while other nodes learn of it.
    const joined = run(
      [
        [6_000, certificate(true)],
        [6_010, { type: "served", epoch: strict.record.epoch + 1 }],
        [6_010 + WORKER_LAG_MS, TIME],
      ],
      strict.record,
    );
    expect(joined.phases).toEqual(["guarded", "joining", "captured"]);
    expect(joined.effects).toMatchObject({ outbound: "captured", announced: true, strict: true });
  });

  test("that never had a certificate keeps its inbound listeners alone when its label goes", () => {
    const guarded = run([
      [0, label(true)],
      [200, TIME],
      [201, listener(true)],
    ]);
    const out = run([[300, label(false)]], guarded.record);
    expect(out.phases).toEqual(["guarded", "left"]);
    expect(out.effects).toMatchObject({ listeners: "inbound", inbound: "open" });
    expect(run([[400, label(true)]], out.record).effects).toMatchObject({ listeners: "inbound", inbound: "open" });
  });

  test("whose listeners stood before is captured outbound only after the proxy's workers have the others", () => {
    const guarded = run([
      [0, label(true)],
      [200, TIME],
      [201, listener(true)],
      [300, certificate(true)],
    ]);
    const { epoch } = guarded.record;
    expect(guarded.record.state).toMatchObject({ phase: "joining", inbound: "captured" });
    const served: readonly [number, PodEvent] = [310, { type: "served", epoch }];
    expect(run([served, [310 + WORKER_LAG_MS - 1, TIME]], guarded.record).phases).toEqual(["joining"]);
    expect(run([served, [310 + WORKER_LAG_MS, TIME]], guarded.record).phases).toEqual(["joining", "captured"]);
  });

  test("that left without a certificate and comes back with one waits for the proxy's workers in the same way", () => {
    const joining = run([
      [0, label(true)],
      [200, TIME],
      [201, listener(true)],
      [300, label(false)],
      [400, certificate(true)],
      [400, label(true)],
    ]).record;
    expect(joining.state).toMatchObject({ phase: "joining", inbound: "open" });
    const served: readonly [number, PodEvent] = [410, { type: "served", epoch: joining.epoch }];
    expect(run([served, [410 + WORKER_LAG_MS - 1, TIME]], joining).effects.outbound).toBe("open");
    expect(run([served, [410 + WORKER_LAG_MS, TIME]], joining).effects.outbound).toBe("captured");
  });

  test("leaves in two steps: first its listeners take plaintext, then other nodes speak it", () => {
    const leaving = run([[0, label(false)]], podInTheMesh());
    expect(leaving.effects).toMatchObject({ inbound: "captured", announced: true, delivery: true, strict: false });
    const soft = run(
      [
        [5, { type: "served", epoch: leaving.record.epoch }],
        [5 + WORKER_LAG_MS, TIME],
      ],
      leaving.record,
    );
    expect(soft.effects).toMatchObject({ inbound: "captured", announced: false, delivery: false });
    const waits = run(
      [
        [260, told(9)],
        [261, { type: "served", epoch: soft.record.epoch }],
        [60_000, TIME],
      ],
      soft.record,
    );
    expect(waits.phases).toEqual(["leaving"]);
    const out = run(
      [
        [60_001, followed(9)],
        [60_001 + WORKER_LAG_MS, TIME],
      ],
      waits.record,
    );
    expect(out.phases).toEqual(["leaving", "left"]);
    expect(out.effects).toMatchObject({ listeners: "all", inbound: "open", outbound: "open", announced: false });
  });

  test("that comes back while it leaves was never let go", () => {
    const { phases, effects } = run(
      [
        [0, label(false)],
        [10, label(true)],
      ],
      podInTheMesh(),
    );
    expect(phases).toEqual(["captured", "leaving", "captured"]);
    expect(effects).toMatchObject({ inbound: "captured", announced: true });
  });

  test("whose certificate only the proxy has keeps it until that proxy is replaced, and a moment longer", () => {
    const start = restoredPod("captured", "captured");
    const before = run(
      [
        [0, label(true)],
        [0, certificate(false)],
        [60_000, TIME],
      ],
      start,
    );
    expect(before.phases).toEqual(["captured"]);
    const replaced = run([[60_000, { type: "proxy-started" }]], before.record);
    expect(run([[61_999, TIME]], replaced.record).phases).toEqual(["captured"]);
    const lost = run([[62_000, TIME]], replaced.record);
    expect(lost.phases).toEqual(["captured", "guarded"]);
    expect(lost.effects).toMatchObject({ inbound: "captured", outbound: "open", announced: false, strict: true });
    expect(
      run(
        [
          [61_000, certificate(true)],
          [62_000, TIME],
        ],
        replaced.record,
      ).phases,
    ).toEqual(["captured"]);
  });

  test("that joins while the proxy is replaced asks for an acknowledgement of the new one", () => {
    const joining = run([
      [0, certificate(true)],
      [0, label(true)],
      [1, { type: "served", epoch: 2 }],
    ]).record;
    const { record } = run([[2, { type: "proxy-started" }]], joining);
    expect(record.state).toMatchObject({ phase: "joining", servedAt: undefined });
    // A new epoch makes the agent publish again; otherwise nothing more is acknowledged.
    expect(record.epoch).toBeGreaterThan(joining.epoch);
  });

  test("that the kernel refuses is tried again a second later", () => {
    const before = run([
      [0, certificate(true)],
      [0, label(true)],
      [1, { type: "served", epoch: 2 }],
      [2, listener(true)],
      [3, { type: "refused" }],
    ]);
    expect(before.phases.at(-1)).toBe("joining");
    const served = run([[4, { type: "served", epoch: before.record.epoch }]], before.record);
    expect(served.phases).toEqual(["joining"]);
    expect(nextWake(served.record, START + 4, SETTINGS)).toBe(START + 4 + WORKER_LAG_MS);
    expect(run([[1_003, TIME]], served.record).phases).toEqual(["joining", "captured"]);
  });
});

/** A pod that is in the mesh, and that all nodes know of. */
function podInTheMesh(): PodRecord {
  const state: PodState = { phase: "captured", since: 0, strict: true, announced: 1, followedAt: 0 };
  return { ...NEW_POD, labelled: true, certificate: "here", listener: true, state };
}

/** What the outside world does, as far as one sandbox can tell. */
type Move =
  | "label"
  | "unlabel"
  | "certificate"
  | "no-certificate"
  | "publish"
  | "listener"
  | "no-listener"
  | "follow-1"
  | "follow-2"
  | "refuse"
  | "protect"
  | "unprotect"
  | "proxy-restart"
  | "agent-restart"
  | "sandbox-anew"
  | "pod-ends"
  | number;

/** Ways to begin, so that what follows is tried in every phase and not only near the first. */
const BEGINNINGS: readonly (readonly Move[])[] = [
  [],
  ["protect"],
  ["protect", "certificate", "label"],
  ["protect", "label", 200],
  ["unlabel", "protect", "label", 200],
  ["certificate", "label", "publish", "listener", "protect", "refuse"],
  ["certificate", "label", "publish", "listener", "follow-1", "follow-2", 1_000],
  ["certificate", "label", "publish", "listener", "follow-1"],
  ["label", 200, "publish", "listener"],
  ["label", 200, "publish", "listener", GRACE],
  ["label", 200, "publish", "listener", 1_000, "certificate"],
  ["label", 200, "publish", "listener", GRACE, "certificate"],
  ["certificate", "label", "publish", "listener", "follow-1", "follow-2", "no-certificate", "certificate"],
  ["certificate", "label", "publish", "listener", "follow-1", "follow-2", 1_000, "unlabel"],
  ["certificate", "label", "publish", "listener", "follow-1", "follow-2", "agent-restart", "proxy-restart"],
];

const anyMoves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<Move>("label", "unlabel", "certificate", "publish", "listener") },
    { weight: 6, arbitrary: fc.constantFrom<Move>("follow-1", "follow-2", "publish", "label") },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Move>(
        ...(["no-certificate", "no-listener", "refuse", "proxy-restart", "agent-restart"] as const),
        ...(["sandbox-anew", "pod-ends", "protect", "unprotect"] as const),
      ),
    },
    { weight: 8, arbitrary: fc.constantFrom<Move>(1, 10, WORKER_LAG_MS, 1_000, 2_000, GRACE) },
  ),
  { maxLength: 60 },
);

const moves = fc
  .tuple(fc.constantFrom(...BEGINNINGS), anyMoves)
  .map(([beginning, rest]): readonly Move[] => [...beginning, ...rest]);

/** `expect` for millions of times: the library's own takes most of the time of so many small steps. */
function rule(holds: boolean, broken: string, seen?: unknown): void {
  if (!holds) throw new Error(seen === undefined ? broken : `${broken}: ${JSON.stringify(seen)}`);
}

function sinceOf(state: PodState): number {
  return "since" in state ? state.since : -Infinity;
}

/** One sandbox, two other nodes that follow its node's report when they please, and a clock. */
class World {
  record: PodRecord | undefined = NEW_POD;
  now = START;
  /** Version of the node's report, and whether it names the pod. */
  version = 1;
  named = false;
  /** By version: whether the report named the pod. */
  readonly reports = new Map<number, boolean>([[1, false]]);
  /** The version that each of the other nodes goes by. */
  readonly follows = [1, 1];
  hasCertificate = false;
  rulesChecked = 0;
  /** When the proxy acknowledged the state of this epoch. */
  servedAt = new Map<number, number>();
  /** What is known of the sandbox from outside: see `checkClosed`. */
  isProtected = false;
  createdUnderLabel = true;
  wasCaptured = false;
  /** Since when connections to the pod are captured, or it has waited with its label, without a break. */
  underLabelSince: number | undefined;

  event(event: PodEvent): void {
    if (this.record === undefined) return;
    const before = this.record;
    this.record = reduce(before, event, this.now, SETTINGS);
    this.check(before, this.record, event);
    this.tell();
  }

  /** The node's report follows the effects, as `Pods` does it. */
  tell(): void {
    if (this.record === undefined) return;
    const { announced } = effectsOf(this.record.state);
    if (announced !== this.named) {
      this.named = announced;
      this.reports.set(++this.version, announced);
    }
    const before = this.record;
    this.record = reduce(before, told(this.version), this.now, SETTINGS);
    this.check(before, this.record, told(this.version));
  }

  publish(): void {
    const epoch = this.record?.epoch ?? 0;
    if (!this.servedAt.has(epoch)) this.servedAt.set(epoch, this.now);
    this.event({ type: "served", epoch });
  }

  follow(node: 0 | 1): void {
    this.follows[node] = this.version;
    this.event(followed(Math.min(...this.follows)));
  }

  pass(ms: number): void {
    const end = this.now + ms;
    // Timers fire when they are due, in order.
    for (let count = 0; this.record !== undefined; count++) {
      rule(count < 50, "timers that fire without end");
      const wake = nextWake(this.record, this.now, SETTINGS);
      if (wake === undefined || wake > end) break;
      rule(wake > this.now, `a timer for ${wake}, which is past at ${this.now}`);
      this.now = wake;
      this.event(TIME);
    }
    this.now = end;
    this.event(TIME);
  }

  begin(record: PodRecord): void {
    this.record = record;
    this.servedAt.clear();
    this.createdUnderLabel = record.entered;
    this.wasCaptured = false;
    this.event({ type: "protected", isProtected: this.isProtected });
    this.event(certificate(this.hasCertificate));
  }

  move(move: Move): void {
    if (typeof move === "number") return this.pass(move);
    switch (move) {
      case "label":
      case "unlabel":
        return this.event(label(move === "label"));
      case "certificate":
      case "no-certificate":
        this.hasCertificate = move === "certificate";
        return this.event(certificate(this.hasCertificate));
      case "publish":
        return this.publish();
      case "listener":
      case "no-listener":
        return this.event(listener(move === "listener"));
      case "follow-1":
      case "follow-2":
        return this.follow(move === "follow-1" ? 0 : 1);
      case "protect":
      case "unprotect":
        return this.event({ type: "protected", isProtected: move === "protect" });
      case "refuse":
        return this.event({ type: "refused" });
      case "proxy-restart":
        this.servedAt.clear();
        return this.event({ type: "proxy-started" });
      case "agent-restart":
        if (this.record === undefined) return;
        return this.restartAgent(this.record);
      case "sandbox-anew":
      case "pod-ends":
        this.end();
        if (move === "sandbox-anew") this.begin(NEW_POD);
    }
  }

  /** The kernel goes on meanwhile; the next agent takes up the pod where it stands, its label included. */
  restartAgent({ state, labelled }: PodRecord): void {
    const { inbound } = effectsOf(state);
    this.hasCertificate = false;
    this.begin(restoredPod(state.phase, inbound));
    this.event(label(labelled));
    if (this.record !== undefined && labelled && inbound === "captured") {
      expect(effectsOf(this.record.state).inbound).toBe("captured");
    }
  }

  /** The application is gone: no caller of it can be misled. */
  end(): void {
    this.record = undefined;
    this.underLabelSince = undefined;
    this.named = false;
    this.reports.set(++this.version, false);
  }

  /** Other nodes whose proxies speak mTLS to the pod. */
  get speakers(): number {
    return this.follows.filter((version) => this.reports.get(version) === true).length;
  }

  check(before: PodRecord, after: PodRecord, event: PodEvent): void {
    this.rulesChecked++;
    const [was, is] = [effectsOf(before.state), effectsOf(after.state)];
    const { phase } = after.state;
    // Other nodes are told of a pod only while it takes mTLS.
    const takesMtls = is.listeners === "all" && is.inbound === "captured" && is.outbound === "captured";
    rule(!is.announced || takesMtls, "announced, though it does not take mTLS", is);
    // The proxy has listeners for all that is captured, or will have them in a moment.
    const hasListeners = is.listeners !== "none" || phase === "waiting";
    rule(is.inbound !== "captured" || hasListeners, "captured inbound without listeners", is);
    rule(is.outbound !== "captured" || is.listeners === "all", "captured outbound without listeners", is);
    // Capture of connections to the pod ends by its label, or where the kernel says no; a lost listener does not end it.
    if (was.inbound === "captured" && is.inbound === "open") {
      rule(event.type === "refused" || !after.labelled, "let go with its label", event);
    }
    // No node speaks mTLS to a pod that has been let go, unless its certificate was lost, or the kernel failed.
    if (was.inbound === "captured" && is.inbound === "open" && event.type !== "refused") {
      rule(this.speakers === 0 || after.certificate === "none", "let go while nodes speak mTLS to it", after);
    }
    // Nobody is told to speak plaintext before the proxy's workers take it where the pod was STRICT.
    if (before.state.phase === "leaving" && was.announced && !is.announced && after.state.phase === "leaving") {
      const served = this.now - (this.servedAt.get(before.epoch) ?? Infinity);
      rule(served >= WORKER_LAG_MS, `withdrawn ${served} ms after its listeners took plaintext`);
    }
    // Connections without a listener: dropped while the pod joins, refused once it was captured.
    const isIn = phase === "captured" || phase === "leaving";
    rule(!isIn || is.missing === "refuse", `${phase} does not refuse what finds no listener`, is);
    if (is.inbound === "captured" && is.missing === "drop") {
      rule(!after.listener || phase === "waiting", "drops connections though its listener stands or stood", after);
      rule(event.type !== "time" || this.now < sinceOf(after.state) + JOIN_MS, "drops connections for too long", after);
    }
    this.checkStrict(before, after, event);
    this.checkClosed(before, after, event);
    // Nothing of a pod outside the mesh has to be looked at later.
    if (phase === "outside" || phase === "left") {
      const wake = nextWake({ ...after, proxyLostAt: undefined }, this.now, SETTINGS);
      rule(wake === undefined, `${phase}, and a timer for ${wake}`);
    }
  }

  /** A pod that must refuse is never open. */
  checkClosed(before: PodRecord, after: PodRecord, event: PodEvent): void {
    const { phase } = after.state;
    // What was noted is what happened.
    if (event.type === "protected") this.isProtected = event.isProtected;
    if (event.type === "label") this.createdUnderLabel &&= event.labelled;
    if (event.type === "label" && !event.labelled) this.wasCaptured = false;
    if (effectsOf(after.state).announced && after.labelled) this.wasCaptured = true;
    if (!after.labelled) return;
    const is = effectsOf(after.state);
    const mustRefuse = this.isProtected && (this.createdUnderLabel || this.wasCaptured);
    rule(!mustRefuse || is.inbound === "captured", `a protected pod is open while it is ${phase}`, [
      before,
      event,
      after,
    ]);
    // A running pod that was labelled is open for a while.
    const isLate = event.type === "time" && "since" in after.state && this.now >= after.state.since + JOIN_MS;
    rule(!this.isProtected || !isLate || is.inbound === "captured", "a protected pod stays open", after);
  }

  checkStrict(before: PodRecord, after: PodRecord, event: PodEvent): void {
    const is = effectsOf(after.state);
    const isIn = after.labelled && is.inbound === "captured";
    const wasIn = before.labelled && effectsOf(before.state).inbound === "captured";
    if (!isIn) this.underLabelSince = undefined;
    else if (!wasIn) this.underLabelSince = this.now;
    // Past its grace a pod takes no plaintext where it is STRICT. A pod is looked at when its time has come, not before.
    if (this.underLabelSince !== undefined && event.type === "time" && this.now >= this.underLabelSince + GRACE) {
      rule(is.strict, "takes plaintext past its grace", is);
    }
    // Only a change of the label, or of what the kernel does, takes STRICT back.
    const wasStrict = isIn && wasIn && effectsOf(before.state).strict;
    rule(!wasStrict || is.strict || !before.labelled, "STRICT was taken back", is);
  }
}

test("whatever happens in whatever order, no rule is broken", () => {
  let checked = 0;
  fc.assert(
    fc.property(moves, (list) => {
      const world = new World();
      for (const move of list) world.move(move);
      checked += world.rulesChecked;
    }),
    { numRuns: 10_000 },
  );
  expect(checked).toBeGreaterThan(100_000);
});

test("from wherever it stands, a pod with label, certificate, listener and followers gets into the mesh, and out again", () => {
  fc.assert(
    fc.property(moves, (list) => {
      const world = new World();
      for (const move of list) world.move(move);
      if (world.record === undefined) world.begin(NEW_POD);
      const settle = (): void => {
        for (let round = 0; round < 6; round++) {
          for (const move of ["publish", "listener", 1_000, "publish", "follow-1", "follow-2", 1_000] as const) {
            world.move(move);
          }
        }
      };
      world.move("certificate");
      world.move("label");
      settle();
      expect(world.record?.state).toMatchObject({ phase: "captured", strict: true });
      world.move("unlabel");
      settle();
      expect(world.record?.state.phase).toBe("left");
      expect(world.speakers).toBe(0);
    }),
    { numRuns: 150 },
  );
});
