import { existsSync, readFileSync } from "node:fs";
import { compareText } from "../../lib/compare.ts";
import { writePrivateFile } from "../../lib/private-file.ts";

/** What the authority knows about a node's certificates. */
export interface NodeRecord {
  /** When the last certificate that the node received expires, in milliseconds since 1970. */
  readonly validUntil: number;
  /** The roots that the node trusts, by its last report. */
  readonly roots: string;
  /** Generations of the certificates that the node uses, by its last report. */
  readonly generations: readonly string[];
}

const UNKNOWN: NodeRecord = { validUntil: 0, roots: "", generations: [] };

/** Kept on disk: the change of a root waits for each node whose certificates may still be in use. */
export class NodeRecords {
  readonly #path: string;
  readonly #heard = new Map<string, number>();
  #records: ReadonlyMap<string, NodeRecord>;

  constructor(path: string) {
    this.#path = path;
    const text = existsSync(path) ? readFileSync(path, "utf8") : "{}";
    this.#records = new Map(Object.entries(JSON.parse(text) as Readonly<Record<string, NodeRecord>>));
  }

  /** Nodes that may have certificates that are valid at `now`, by name. */
  inUse(now: number): ReadonlyMap<string, NodeRecord> {
    const found = [...this.#records].filter(([, { validUntil }]) => validUntil > now);
    return new Map(found.toSorted(([a], [b]) => compareText(a, b)));
  }

  /** When the last certificate of each node ends, by node. The end may have passed. */
  validUntil(): ReadonlyMap<string, number> {
    return new Map([...this.#records].map(([node, { validUntil }]) => [node, validUntil]));
  }

  /** When each node sent its last request to this process, by node. */
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

  /** To be called before a certificate is handed out. */
  issued(node: string, generation: string, validUntil: number, now: number): void {
    this.#heard.set(node, now);
    const before = this.#records.get(node) ?? UNKNOWN;
    // Forgets nodes that have left the cluster.
    this.#records = new Map([...this.#records].filter(([one, old]) => old.validUntil > now || this.#heard.has(one)));
    // Rounded to the hour, so that a node with many identities is not written down for each of them.
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
