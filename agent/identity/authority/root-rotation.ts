import type { Clock } from "../../lib/clock.ts";
import { AmbitError } from "../../lib/errors.ts";
import type { BuiltInSigner } from "./built-in-signer.ts";
import type { NodeRecord, NodeRecords } from "./node-records.ts";

/** `spreading`: nodes learn a new root; `replacing`: it signs, and nodes replace their certificates. */
export type RotationStage = "steady" | "spreading" | "replacing";

export interface RotationStatus {
  readonly stage: RotationStage;
  /** Nodes that have not followed yet, and until when each of them counts. */
  readonly waitingFor: readonly string[];
}

export interface RootRotationOptions {
  readonly signer: BuiltInSigner;
  readonly records: NodeRecords;
  readonly clock: Clock;
  /** Called when nodes have to be told. */
  readonly onChange: () => void;
}

/** How long to wait once all nodes have followed, as proxies may be a moment behind their agents. */
const SETTLE_MS = 5_000;
/** The authority replaces a root by itself when it is valid for less than this. */
const OLD_ROOT_MS = 365 * 24 * 60 * 60 * 1_000;

/**
 * Replaces the root without a failing call. First every node trusts the new root, then the new root signs, and when no node
 * uses a certificate of the old root any more, the authority drops the old root. A node counts while a certificate that it
 * received is valid. The stage follows from what the signer has on disk, so that a restarted authority goes on where it was.
 */
export class RootRotation {
  readonly #options: RootRotationOptions;
  /** Since when no node is waited for; undefined while one is. */
  #clearSince: number | undefined;
  #making = false;

  constructor(options: RootRotationOptions) {
    this.#options = options;
  }

  /** Throws AmbitError `rotation-under-way`. */
  async start(): Promise<void> {
    const { stage, waitingFor } = this.status();
    if (stage !== "steady" || this.#making) {
      throw new AmbitError({
        code: "rotation-under-way",
        kind: "user",
        what: "the root is being changed already",
        why: `the stage is '${stage}'${waitingFor.length > 0 ? `; it waits for ${waitingFor.join("; ")}` : ""}`,
        remedy: "wait until it is done: 'ambit authority status'",
      });
    }
    this.#making = true;
    await this.#options.signer.addRoot().finally(() => (this.#making = false));
    this.#clearSince = undefined;
    this.#options.onChange();
  }

  /** Takes the next step if it is time for it. To be called every second or so. */
  async step(): Promise<void> {
    const { signer, clock, onChange } = this.#options;
    const now = clock.now();
    const { stage, waitingFor } = this.status();
    if (stage === "steady") {
      const [root] = signer.trusted();
      if (!this.#making && root !== undefined && root.notAfter.getTime() - now < OLD_ROOT_MS) await this.start();
      return;
    }
    if (waitingFor.length > 0) this.#clearSince = undefined;
    else this.#clearSince ??= now;
    if (this.#clearSince === undefined || now - this.#clearSince < SETTLE_MS) return;
    this.#clearSince = undefined;
    if (stage === "spreading") signer.signByNewest();
    else signer.dropOthers();
    onChange();
  }

  status(): RotationStatus {
    const { signer, records, clock } = this.#options;
    const trusted = signer.trusted();
    if (trusted.length < 2) return { stage: "steady", waitingFor: [] };
    const newest = trusted.at(-1)?.generation;
    const replacing = newest === signer.generation();
    const behind = ({ roots, generations }: NodeRecord): boolean =>
      replacing ? generations.some((generation) => generation !== newest) : roots !== signer.roots();
    const waitingFor = [...records.inUse(clock.now())]
      .filter(([, record]) => behind(record))
      .map(([node, { validUntil }]) => `${node}${this.#heard(node)}, until ${new Date(validUntil).toISOString()}`);
    return { stage: replacing ? "replacing" : "spreading", waitingFor };
  }

  #heard(node: string): string {
    const at = this.#options.records.heard().get(node);
    return at === undefined ? " (not heard from yet)" : ` (last heard from at ${new Date(at).toISOString()})`;
  }
}
