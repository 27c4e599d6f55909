import type { Clock } from "../../lib/clock.ts";
import { groupBy } from "../../lib/group-by.ts";
import {
  ALONE,
  remotePod,
  type AnnouncedSandbox,
  type RemotePod,
  type RemotePods,
  type WaitedForNode,
} from "../../model/exchange.ts";
import type {
  Announcement,
  ExchangeNews,
  ExchangeQuestion,
  ExchangeReport,
  NodeNews,
  Position,
  ExchangeRecord,
  Standing,
} from "../authority-protocol.ts";

/** The part of the view that outlives the agent. */
export interface StoredExchange {
  readonly announced: Announcement;
  /** The newest version of `announced` that all other nodes were seen to follow. */
  readonly followed: number;
  readonly knows: Position | undefined;
  /** Versions of the other nodes' reports, by node. */
  readonly versions: Readonly<Record<string, number>>;
  /** Records of other nodes' sandboxes that take mTLS. */
  readonly records: readonly ExchangeRecord[];
}

/** Reads what `toStore` made, as JSON; undefined: it is something else, such as the file of another version. */
export function parseStored(text: string): StoredExchange | undefined {
  const { announced, followed, knows, versions, records } = fieldsOf(JSON.parse(text));
  const { version, sandboxes } = fieldsOf(announced);
  const position = fieldsOf(knows);
  if (!isCount(version) || !isListOf(sandboxes, ["uid", "cookie"], ["addresses"])) return undefined;
  if (knows !== undefined && !(typeof position["instance"] === "string" && isCount(position["revision"])))
    return undefined;
  if (!isCount(followed) || !Object.values(fieldsOf(versions)).every(isCount)) return undefined;
  if (!isListOf(records, ["node", "uid", "cookie"], ["addresses"])) return undefined;
  return { announced, followed, knows, versions: versions ?? {}, records } as StoredExchange; // Each field was looked at.
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isListOf(value: unknown, texts: readonly string[], lists: readonly string[]): boolean {
  const isText = (one: unknown): boolean => typeof one === "string";
  const isList = (one: unknown): boolean => Array.isArray(one) && one.every(isText);
  return (
    Array.isArray(value) &&
    value.every(
      (one) => texts.every((name) => isText(fieldsOf(one)[name])) && lists.every((name) => isList(fieldsOf(one)[name])),
    )
  );
}

const NOTHING: StoredExchange = {
  announced: { version: 0, sandboxes: [] },
  followed: 0,
  knows: undefined,
  versions: {},
  records: [],
};

export interface SentReport {
  readonly report: ExchangeReport;
  /** The instance that this node knew then. */
  readonly knew: string | undefined;
}

interface Reported extends ExchangeReport {
  readonly instance: string;
  readonly knew: string | undefined;
}

/** The records that one node has of the others, and how far they follow its reports. It has no sockets and no timers. */
export class ExchangeView {
  readonly #clock: Pick<Clock, "now">;
  #announced: Announcement;
  /** The authority has this version from an earlier agent, whose file is lost. */
  #beyond = 0;
  #followed: number;
  #standing: Standing | undefined;
  /** The last report that the authority took from this node; `knew`: the instance that this node knew when it sent that. */
  #reported: Reported = { instance: "", knew: undefined, announced: undefined, follows: undefined };
  #knows: Position | undefined;
  /** Of the reports that `records` are from, by node. */
  #versions: ReadonlyMap<string, number>;
  /** Nodes of which the authority has sent an earlier report than this node knew. */
  readonly #incomplete = new Set<string>();
  /** By node. */
  #records: ReadonlyMap<string, readonly ExchangeRecord[]>;
  #captured: RemotePods;
  #revision = 1;
  #followsRevision = 0;
  /** By revision of this view, from the one that is followed on: the last position at which `captured` was the same. */
  readonly #positions = new Map<number, Position>();
  #unsaved = false;

  constructor(stored: StoredExchange | undefined, clock: Pick<Clock, "now">) {
    const { announced, followed, knows, versions, records } = stored ?? NOTHING;
    this.#clock = clock;
    this.#announced = announced;
    this.#followed = followed;
    this.#knows = knows;
    this.#versions = new Map(Object.entries(versions));
    this.#records = groupBy(records, ({ node }) => node);
    this.#captured = podsOf(this.#records);
    if (knows !== undefined) this.#positions.set(this.#revision, knows);
  }

  get captured(): RemotePods {
    return this.#captured;
  }

  /** Grows when `captured` changes, and only then. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Never falls: what all nodes have followed stays followed. ALONE only for what the authority has recorded, as a node
   * that has come meanwhile may go by an earlier report.
   */
  get followed(): number {
    const isAlone = this.#standing?.followed === "alone" && this.#standing.version === this.#announced.version;
    return isAlone ? ALONE : this.#followed;
  }

  get waitingFor(): readonly WaitedForNode[] {
    return this.#standing?.waitingFor ?? [];
  }

  announce(sandboxes: readonly AnnouncedSandbox[]): number {
    const list = sandboxes
      .map(({ uid, cookie, addresses }) => ({ uid, cookie, addresses }))
      .toSorted((a, b) => compare(a.uid, b.uid) || compare(a.cookie, b.cookie));
    const { version, sandboxes: before } = this.#announced;
    if (version === 0 || JSON.stringify(list) !== JSON.stringify(before)) this.#announceAnew(list);
    return this.#announced.version;
  }

  follow(revision: number): void {
    if (revision <= this.#followsRevision || revision > this.#revision) return;
    this.#followsRevision = revision;
    for (const one of this.#positions.keys()) if (one < revision) this.#positions.delete(one);
  }

  learn(news: ExchangeNews): void {
    const { instance, from, revision, nodes, records } = news;
    const isNext = this.#knows?.instance === instance ? from <= this.#knows.revision : from === 0;
    if (!isNext) return;
    if (nodes.length > 0)
      this.#apply(
        nodes,
        groupBy(records, ({ node }) => node),
      );
    if (this.#knows?.instance !== instance) this.#unsaved = true;
    this.#knows = { instance, revision };
    this.#positions.set(this.#revision, this.#knows);
    this.acknowledge(news.standing);
  }

  acknowledge(standing: Standing): void {
    const { version, followed } = standing;
    this.#standing = standing;
    if (version > this.#announced.version) {
      // Other nodes may follow that report. Their answers are about this agent's reports only when these have higher versions.
      this.#beyond = Math.max(this.#beyond, version);
      if (this.#announced.version > 0) this.#announceAnew(this.#announced.sandboxes);
      return;
    }
    const newest = followed === "alone" ? version : followed;
    if (newest <= this.#followed || newest <= this.#beyond) return;
    this.#followed = newest;
    this.#unsaved = true;
  }

  /** The report that the authority lacks; undefined: none. */
  nextReport(): SentReport | undefined {
    const announced = this.#announced.version === 0 ? undefined : this.#announced;
    const follows = this.#positions.get(this.#followsRevision);
    if (announced === undefined && follows === undefined) return undefined;
    const { instance, knew, announced: before, follows: earlier } = this.#reported;
    const known = this.#knows?.instance;
    // If another instance answered the report, the next news show which instance counts.
    const isTaken = known === undefined || known === instance || known === knew;
    if (isTaken && announced?.version === before?.version && isSame(follows, earlier)) return undefined;
    return { report: { announced, follows }, knew: known };
  }

  /** The authority has taken a report, and answered. */
  reported({ report, knew }: SentReport, standing: Standing): void {
    this.#reported = { ...report, knew, instance: standing.instance };
    this.acknowledge(standing);
  }

  question(): ExchangeQuestion {
    const { followed = 0 } = this.#standing ?? {};
    return {
      knows: this.#knows,
      incomplete: [...this.#incomplete],
      followed,
      waitingFor: this.waitingFor.map(({ node }) => node),
    };
  }

  /** The state to write to the file before it has effects; undefined: nothing has changed. */
  toStore(): StoredExchange | undefined {
    if (!this.#unsaved) return undefined;
    this.#unsaved = false;
    return {
      announced: this.#announced,
      followed: this.#followed,
      // Without a position, the next agent gets complete lists.
      knows: this.#incomplete.size > 0 ? undefined : this.#knows,
      versions: Object.fromEntries(this.#versions),
      records: [...this.#records.values()].flat(),
    };
  }

  #announceAnew(sandboxes: readonly AnnouncedSandbox[]): void {
    const version = Math.max(this.#announced.version + 1, this.#beyond + 1, this.#clock.now());
    this.#announced = { version, sandboxes };
    this.#unsaved = true;
  }

  #apply(nodes: readonly NodeNews[], changed: ReadonlyMap<string, readonly ExchangeRecord[]>): void {
    const versions = new Map(this.#versions);
    const after = new Map(this.#records);
    for (const { node, version, complete, ended } of nodes) {
      const known = versions.get(node) ?? 0;
      // Another instance may know only an earlier report of the node. Its next news build on that one.
      if (version < known && ended !== true) {
        this.#incomplete.add(node);
        continue;
      }
      this.#incomplete.delete(node);
      versions.set(node, Math.max(version, known));
      const records = changed.get(node) ?? [];
      const keys = new Set(records.map(keyOf));
      const kept = complete === true || ended === true ? [] : (after.get(node) ?? []);
      const all = [
        ...kept.filter((record) => !keys.has(keyOf(record))),
        ...records.filter(({ gone }) => gone !== true),
      ];
      if (all.length > 0) after.set(node, all);
      else after.delete(node);
    }
    this.#versions = versions;
    this.#records = after;
    this.#unsaved = true;
    const captured = podsOf(after);
    if (JSON.stringify([...captured]) === JSON.stringify([...this.#captured])) return;
    this.#captured = captured;
    this.#revision++;
  }
}

/** In an order of its own, so that equal contents can be told by their texts. */
function podsOf(records: ReadonlyMap<string, readonly ExchangeRecord[]>): RemotePods {
  const found = new Map<RemotePod, readonly string[]>();
  for (const record of [...records.values()].flat()) {
    const pod = remotePod(record);
    // A sandbox that is made anew has a record beside that of the earlier one for a moment.
    found.set(pod, [...new Set([...(found.get(pod) ?? []), ...record.addresses])].toSorted(compare));
  }
  return new Map([...found].toSorted(([a], [b]) => compare(a, b)));
}

function keyOf({ uid, cookie }: ExchangeRecord): string {
  return `${uid} ${cookie}`;
}

function isSame(a: Position | undefined, b: Position | undefined): boolean {
  return a?.instance === b?.instance && a?.revision === b?.revision;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
