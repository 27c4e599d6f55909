import type { Clock } from "../../lib/clock.ts";
import type { AnnouncedSandbox, WaitedForNode } from "../../model/exchange.ts";
import type {
  Announcement,
  ExchangeNews,
  ExchangeQuestion,
  ExchangeReport,
  Followed,
  NodeNews,
  Position,
  ExchangeRecord,
  Standing,
} from "../authority-protocol.ts";

/** The facts about nodes that the log needs; `NodeRecords` has them. */
export interface KnownNodes {
  /** When the last certificate of each node ends, by node. The end may have passed. */
  validUntil(): ReadonlyMap<string, number>;
  /** When each node sent its last request to this process, by node. */
  heard(): ReadonlyMap<string, number>;
}

export interface ExchangeLogOptions {
  /** A random name of this process: its revisions start anew. */
  readonly instance: string;
  readonly clock: Clock;
  readonly nodes: KnownNodes;
  /** Name of the node on which the pod with this UID runs; undefined: the source does not know the pod yet. */
  readonly nodeOf: (uid: string) => string | undefined;
}

/** A node's part in the exchange, for status. */
export interface ExchangeNode {
  /** Sandboxes of the node that take mTLS. */
  readonly sandboxes: number;
  /** The revision that it follows; 0: it has not said so to this authority process yet. */
  readonly follows: number;
  /** The node has sent a report to this authority process. */
  readonly reported: boolean;
  /** UIDs of pods that the node announces although they run on another node. Other nodes hear nothing of that. */
  readonly refused: readonly string[];
}

interface NodeState {
  /** The node's last report, refused sandboxes included. Version 0: none yet. */
  announced: Announcement;
  /** By `keyOf`: accepted sandboxes, and tombstones. */
  readonly records: Map<string, ExchangeRecord>;
  /**
   * The revision of its first report. An asker that knows only earlier revisions gets all records of the node. 0: no
   * report yet.
   */
  since: number;
  /** The revision of its last change. */
  newest: number;
  /**
   * Tombstones up to this revision may be missing, so an asker that knows only earlier revisions gets all records of the
   * node.
   */
  horizon: number;
  follows: number;
  /** For each version that some node may not follow yet: the revision that others have to follow. The oldest comes first. */
  versions: readonly { readonly version: number; readonly revision: number }[];
  /** UIDs of announced pods that run on another node. */
  refused: readonly string[];
}

/** An agent keeps a question open, or asks again within seconds. A node that is silent for so long has no agent. */
const SILENT_MS = 60_000;
/** The log drops the oldest of more tombstones: a node that lags behind them gets complete lists. */
const MAX_TOMBSTONES = 10_000;
const MAX_VERSIONS = 100;
/** How many nodes a `Standing` names. */
const MAX_WAITING = 32;

/**
 * The nodes' reports as records with one growing revision, and the revision that each node follows. The log has no sockets
 * and no timers. A node's records count from its first report to this instance on. Until then the other nodes keep the
 * records that they have of it.
 */
export class ExchangeLog {
  readonly #options: ExchangeLogOptions;
  readonly #nodes = new Map<string, NodeState>();
  #revision = 0;
  /**
   * The node that changed last, and the last revision of any other node: enough to see at once whether an asker lacks
   * something.
   */
  #last = { node: "", revision: 0, others: 0 };

  constructor(options: ExchangeLogOptions) {
    this.#options = options;
  }

  get position(): Position {
    return { instance: this.#options.instance, revision: this.#revision };
  }

  /** Takes a report, unless it has a newer one. Returns UIDs that it refuses, and did not refuse before. */
  report(node: string, { announced, follows }: ExchangeReport): readonly string[] {
    const state = this.#state(node);
    if (follows?.instance === this.#options.instance) {
      state.follows = Math.max(state.follows, Math.min(follows.revision, this.#revision));
    }
    if (announced === undefined || announced.version <= state.announced.version) return [];
    state.announced = announced;
    // Each version is news, even if it changes no record: another node may know a later report than this instance did,
    // and wait.
    const refused = this.#apply(node, state, true);
    const told = { version: announced.version, revision: state.newest };
    state.versions = [...state.versions, told].slice(-MAX_VERSIONS);
    return refused;
  }

  /** Does the asker lack something? Cheap, because every change asks this for every held question. */
  hasNews(node: string, question: ExchangeQuestion): boolean {
    const { knows, followed, waitingFor } = question;
    if (knows?.instance !== this.#options.instance) return true;
    const others = this.#last.node === node ? this.#last.others : this.#last.revision;
    if (others > knows.revision) return true;
    // A node that all others follow learns of a new node at the end of the held question: early enough for its status.
    if (followed === (this.#nodes.get(node)?.announced.version ?? 0) && waitingFor.length === 0) return false;
    const standing = this.standing(node);
    return standing.followed !== followed || standing.waitingFor.map((one) => one.node).join() !== waitingFor.join();
  }

  news(node: string, { knows, incomplete }: ExchangeQuestion): ExchangeNews {
    const { instance } = this.#options;
    const from = knows?.instance === instance ? Math.min(knows.revision, this.#revision) : 0;
    const others = [...this.#nodes].filter(([name, { newest }]) => name !== node && newest > from);
    const wanted = new Set(incomplete);
    const isComplete = (name: string, { since, horizon }: NodeState): boolean =>
      since > from || horizon > from || wanted.has(name);
    return {
      instance,
      from,
      revision: this.#revision,
      nodes: others.map(([name, state]): NodeNews => {
        const { version } = state.announced;
        return {
          node: name,
          version,
          ...(isComplete(name, state) && { complete: true }),
          ...(version === 0 && { ended: true }),
        };
      }),
      records: others.flatMap(([name, state]) => {
        const records = [...state.records.values()];
        if (isComplete(name, state)) return records.filter(({ gone }) => gone !== true);
        return records.filter(({ revision }) => revision > from);
      }),
      standing: this.standing(node),
    };
  }

  standing(node: string): Standing {
    const { instance, nodes } = this.#options;
    const { announced, versions } = this.#state(node);
    const others = [...this.#waited()]
      .filter((name) => name !== node)
      .map((name) => [name, this.#follows(name)] as const);
    const least = Math.min(...others.map(([, follows]) => follows));
    const followed: Followed =
      others.length === 0 ? "alone" : (versions.findLast(({ revision }) => revision <= least)?.version ?? 0);
    const wanted = versions.at(-1)?.revision ?? 0;
    const heard = nodes.heard();
    const waitingFor = others
      .filter(([, follows]) => follows < wanted)
      .map(([name]): WaitedForNode => ({ node: name, lastHeard: isoOf(heard.get(name)) }))
      .toSorted((a, b) => (a.node < b.node ? -1 : 1))
      .slice(0, MAX_WAITING);
    return { instance, version: announced.version, followed, waitingFor };
  }

  /**
   * Time has passed, or the source has changed. Compares what nodes announced with the source again, ends the records of
   * nodes whose certificates have ended without another report, and drops tombstones that all nodes follow. Returns what
   * `report` returns, by node.
   */
  refresh(): ReadonlyMap<string, readonly string[]> {
    const refused = new Map<string, readonly string[]>();
    const waited = this.#waited();
    for (const node of new Set([...this.#nodes.keys(), ...this.#options.nodes.validUntil().keys()])) {
      const state = this.#state(node);
      // A later report counts again, whatever its version.
      if (!waited.has(node)) state.announced = { version: 0, sandboxes: [] };
      if (state.announced.version > 0 || !waited.has(node)) {
        const found = this.#apply(node, state);
        if (found.length > 0) refused.set(node, found);
      }
      if (!waited.has(node)) state.versions = [];
    }
    this.#compact(waited);
    return refused;
  }

  status(): ReadonlyMap<string, ExchangeNode> {
    const reported = [...this.#nodes].filter(([, { announced }]) => announced.version > 0).map(([node]) => node);
    const names = [...new Set([...reported, ...this.#waited()])].toSorted();
    return new Map(
      names.map((name) => {
        const { records, follows, announced, refused } = this.#state(name);
        const sandboxes = [...records.values()].filter(({ gone }) => gone !== true).length;
        return [name, { sandboxes, follows, reported: announced.version > 0, refused }];
      }),
    );
  }

  #state(node: string): NodeState {
    const found = this.#nodes.get(node);
    if (found !== undefined) return found;
    const announced = { version: 0, sandboxes: [] };
    const made = {
      announced,
      records: new Map(),
      since: 0,
      newest: 0,
      horizon: 0,
      follows: 0,
      versions: [],
      refused: [],
    };
    this.#nodes.set(node, made);
    return made;
  }

  #follows(node: string): number {
    return this.#nodes.get(node)?.follows ?? 0;
  }

  /**
   * Nodes that may call pods of other nodes: those with valid certificates, as an Envoy goes on without its agent, and
   * those whose agents are here.
   */
  #waited(): ReadonlySet<string> {
    const { nodes, clock } = this.#options;
    const now = clock.now();
    const certified = [...nodes.validUntil()].filter(([, end]) => end > now);
    const heard = [...nodes.heard()].filter(([, at]) => now - at < SILENT_MS);
    return new Set([...certified, ...heard].map(([node]) => node));
  }

  /**
   * Makes the node's records equal to the sandboxes that it announced and may announce. All changes get the same new
   * revision.
   */
  #apply(node: string, state: NodeState, isNews = state.since === 0): readonly string[] {
    const { sandboxes } = state.announced;
    const refused = sandboxes.map(({ uid }) => uid).filter((uid) => this.#isElsewhere(node, uid));
    const accepted = new Map(
      sandboxes.filter(({ uid }) => !refused.includes(uid)).map((sandbox) => [keyOf(sandbox), sandbox]),
    );
    const come = [...accepted].filter(([key, sandbox]) => !isKnown(state.records.get(key), sandbox));
    const left = [...state.records].filter(([key, { gone }]) => gone !== true && !accepted.has(key));
    const isNew = refused.filter((uid) => !state.refused.includes(uid));
    state.refused = refused;
    if (come.length + left.length === 0 && !isNews) return isNew;
    const revision = ++this.#revision;
    for (const [key, sandbox] of come) state.records.set(key, { ...sandbox, node, revision });
    for (const [key, { uid, cookie }] of left) {
      state.records.set(key, { node, uid, cookie, addresses: [], revision, gone: true });
    }
    if (state.since === 0) state.since = revision;
    state.newest = revision;
    const { others, ...last } = this.#last;
    this.#last = { node, revision, others: last.node === node ? others : last.revision };
    return isNew;
  }

  #isElsewhere(node: string, uid: string): boolean {
    const home = this.#options.nodeOf(uid);
    return home !== undefined && home !== node;
  }

  #compact(waited: ReadonlySet<string>): void {
    const tombstones = [...this.#nodes.values()]
      .flatMap(({ records }) => [...records].filter(([, { gone }]) => gone))
      .toSorted(([, a], [, b]) => a.revision - b.revision);
    for (const [at, [key, { node, revision }]] of tombstones.entries()) {
      const isFollowed = [...waited].every((name) => name === node || this.#follows(name) >= revision);
      if (!isFollowed && at >= tombstones.length - MAX_TOMBSTONES) continue;
      const state = this.#state(node);
      state.records.delete(key);
      state.horizon = revision;
    }
  }
}

function isKnown(record: ExchangeRecord | undefined, { addresses }: AnnouncedSandbox): boolean {
  return record !== undefined && record.gone !== true && record.addresses.join() === addresses.join();
}

/** A pod keeps its UID when its sandbox is recreated. */
function keyOf({ uid, cookie }: AnnouncedSandbox): string {
  return `${uid} ${cookie}`;
}

function isoOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
