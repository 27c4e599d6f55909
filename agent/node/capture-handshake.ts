import { mkdirSync, watch, type FSWatcher } from "node:fs";
import { WORKER_LAG_MS } from "../lib/worker-lag.ts";
import { readReports, writeReport, type CaptureReport } from "./capture-report.ts";

/** Versions of the other nodes' reports, by node. */
export type Versions = Readonly<Record<string, number>>;

export interface HandshakeOptions {
  /** The folder that all nodes share; undefined: this node is the only one. */
  readonly folder: string | undefined;
  readonly node: string;
  /** Something has changed that `captured`, `versions` or `hasLeft` tell. */
  readonly onChange: () => void;
  readonly now?: () => number;
}

/** In which report it has been told that a pod joins or leaves, since when, and since when all have followed. */
interface Told {
  readonly version: number;
  readonly since: number;
  followedAt?: number;
}

/** The kernel may drop events. */
const LOOK_MS = 1_000;
/** A node that does not answer for so long, because its agent is away, is not waited for. */
const PATIENCE_MS = 5_000;

/**
 * Joining and leaving the wire. A node tells the others which of its pods take mTLS when they do, and that one leaves before
 * it does; it lets the pod go when every node has followed. Nobody's word changes who somebody is: only in which form
 * bytes are sent.
 */
export class CaptureHandshake {
  readonly #options: HandshakeOptions;
  readonly #now: () => number;
  readonly #watcher: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #own: CaptureReport;
  #others: ReadonlyMap<string, CaptureReport> = new Map();
  /** Pods that leave, and such that join: some node may not have followed. */
  readonly #leaving = new Map<string, Told>();
  readonly #joining = new Map<string, Told>();
  #settle: NodeJS.Timeout | undefined;
  #state = "";

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const { folder, node } = options;
    this.#own = { node, version: 0, captured: [], follows: {} };
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // What an agent before this one has told still holds: the kernel goes on capturing.
    this.#own = readReports(folder).find((report) => report.node === node) ?? this.#own;
    // Known from now on as one that has to follow, before it has said anything.
    this.#write(this.#own);
    this.#read();
    this.#watcher = watch(folder, () => this.#look());
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** UIDs of all pods of other nodes that take mTLS. */
  get captured(): ReadonlySet<string> {
    return new Set([...this.#others.values()].flatMap((report) => report.captured));
  }

  /** Of what `captured` was read from: to be given to `follow`. */
  get versions(): Versions {
    return Object.fromEntries([...this.#others].map(([node, { version }]) => [node, version]));
  }

  /** The proxy goes by what these versions say. */
  follow(versions: Versions): void {
    if (JSON.stringify(versions) === JSON.stringify(this.#own.follows)) return;
    this.#write({ ...this.#own, follows: versions });
  }

  /** Tells which pods take mTLS now. */
  announce(captured: readonly string[]): void {
    const list = captured.toSorted();
    const before = new Set(this.#own.captured);
    if (list.join() !== this.#own.captured.join()) {
      const version = Math.max(this.#own.version + 1, this.#now());
      this.#write({ ...this.#own, version, captured: list });
    }
    const told = (): Told => ({ version: this.#own.version, since: this.#now() });
    for (const uid of list) {
      if (!before.delete(uid)) this.#joining.set(uid, told());
      this.#leaving.delete(uid);
    }
    for (const uid of before) {
      this.#leaving.set(uid, told());
      this.#joining.delete(uid);
    }
  }

  /** Does nobody speak mTLS to this pod any more? Asked of a pod that is not announced. */
  hasLeft(uid: string): boolean {
    // Not by what was there when the kernel last told of a change.
    if (this.#leaving.has(uid)) this.#read();
    return this.#isFollowed(this.#leaving, uid);
  }

  /** UIDs of this node's pods that every node speaks mTLS to. */
  get followed(): ReadonlySet<string> {
    if (this.#joining.size > 0) this.#read();
    return new Set(this.#own.captured.filter((uid) => this.#isFollowed(this.#joining, uid)));
  }

  close(): void {
    this.#watcher?.close();
    clearInterval(this.#timer);
    clearTimeout(this.#settle);
  }

  #isFollowed(pending: Map<string, Told>, uid: string): boolean {
    const told = pending.get(uid);
    if (told === undefined) return true;
    const { node } = this.#options;
    const others = [...this.#others.values()];
    const followed = others.every(({ follows }) => (follows[node] ?? 0) >= told.version);
    if (followed && others.length > 0 && told.followedAt === undefined) {
      told.followedAt = this.#now();
      clearTimeout(this.#settle);
      this.#settle = setTimeout(() => this.#look(), WORKER_LAG_MS);
    }
    const waits = followed
      ? this.#now() - (told.followedAt ?? 0) < WORKER_LAG_MS
      : this.#now() - told.since < PATIENCE_MS;
    if (waits) return false;
    pending.delete(uid);
    return true;
  }

  #look(): void {
    this.#read();
    const { node } = this.#options;
    const theirs = [...this.#others.values()].map(({ version, follows }) => [version, follows[node]]);
    // Who joins or leaves is looked at again as time passes, too.
    const waits = this.#leaving.size + this.#joining.size > 0;
    const state = JSON.stringify([[...this.#others.keys()], theirs, waits ? this.#now() : 0]);
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onChange();
  }

  #read(): void {
    const { folder, node } = this.#options;
    const reports = folder === undefined ? [] : readReports(folder).filter((report) => report.node !== node);
    this.#others = new Map(reports.map((report) => [report.node, report]));
  }

  #write(report: CaptureReport): void {
    this.#own = report;
    if (this.#options.folder !== undefined) writeReport(this.#options.folder, report);
  }
}
