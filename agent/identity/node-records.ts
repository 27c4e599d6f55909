import { existsSync, readFileSync } from "node:fs";
import { compareText } from "../lib/compare.ts";
import { writePrivateFile } from "../lib/private-file.ts";

/** What the authority knows of a node's certificates. */
export interface NodeRecord {
  /** When the last certificate that it was given expires, in milliseconds since 1970. */
  readonly validUntil: number;
  /** The roots that it trusts, as it said last. */
  readonly roots: string;
  /** Generations of the certificates that it uses, as it said last. */
  readonly generations: readonly string[];
}

const UNKNOWN: NodeRecord = { validUntil: 0, roots: "", generations: [] };

/** Kept over restarts: the change of a root waits for each node whose certificates may still be in use. */
export class NodeRecords {
  readonly #path: string;
  readonly #heard = new Map<string, number>();
  #records: ReadonlyMap<string, NodeRecord>;

  constructor(path: string) {
    this.#path = path;
    const text = existsSync(path) ? readFileSync(path, "utf8") : "{}";
    this.#records = new Map(Object.entries(JSON.parse(text) as Readonly<Record<string, NodeRecord>>));
  }

  /** Nodes that may have certificates that are good at `now`, by name. */
  inUse(now: number): ReadonlyMap<string, NodeRecord> {
    const found = [...this.#records].filter(([, { validUntil }]) => validUntil > now);
    return new Map(found.toSorted(([a], [b]) => compareText(a, b)));
  }

  /** When the last certificate of each node ends, by node: of those that may have ended, too. */
  validUntil(): ReadonlyMap<string, number> {
    return new Map([...this.#records].map(([node, { validUntil }]) => [node, validUntil]));
  }

  /** When each node was heard last by this process, by node. */
  heard(): ReadonlyMap<string, number> {
    return this.#heard;
  }

  hear(node: string, now: number): void {
    this.#heard.set(node, now);
  }

  reported(node: string, roots: string, generations: readonly string[], now: number): void {
    this.#heard.set(node, now);
    this.#update(node, { roots, generations });
  }

  /** Called before a certificate is handed out. */
  issued(node: string, generation: string, validUntil: number, now: number): void {
    this.#heard.set(node, now);
    const before = this.#records.get(node) ?? UNKNOWN;
    // Nodes that have left the cluster.
    this.#records = new Map([...this.#records].filter(([one, old]) => old.validUntil > now || this.#heard.has(one)));
    // To the hour: a node of many identities need not be written down for each of them.
    const rounded = Math.ceil(validUntil / HOUR_MS) * HOUR_MS;
    this.#update(node, {
      validUntil: Math.max(rounded, before.validUntil),
      generations: [...new Set([...before.generations, generation])].toSorted(),
    });
  }

  #update(node: string, change: Partial<NodeRecord>): void {
    const before = this.#records.get(node);
    const after: NodeRecord = { ...UNKNOWN, ...before, ...change };
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    this.#records = new Map([...this.#records, [node, after]]);
    writePrivateFile(this.#path, `${JSON.stringify(Object.fromEntries(this.#records), undefined, 1)}\n`);
  }
}

const HOUR_MS = 3_600_000;
