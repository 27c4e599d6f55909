import type { Clock } from "../lib/clock.ts";
import { AmbitError } from "../lib/errors.ts";
import type { JoinTokens } from "./join-token.ts";
import type { NodeRecords } from "./node-records.ts";
import type { NodeReport, SignAnswer, SignRequest, Trust } from "./protocol.ts";
import type { CertificateSigner } from "./signer.ts";

/** Where identities are at home. */
export interface Placement {
  /** Names of the nodes on which pods of this identity run now. */
  nodesOf(spiffeId: string): readonly string[];
}

export interface AuthorityOptions {
  readonly signer: CertificateSigner;
  readonly tokens: JoinTokens;
  readonly placement: Placement;
  readonly records: NodeRecords;
  readonly lifetimeMs: number;
  readonly clock: Clock;
}

/** A question that nothing has become of for so long is answered as it is: the other end sees that someone is here. */
const HOLD_MS = 25_000;

/** Decides who gets a certificate: a node, for identities of pods that run on it, and nobody else. */
export class Authority {
  readonly #options: AuthorityOptions;
  readonly #waiting = new Set<() => void>();

  constructor(options: AuthorityOptions) {
    this.#options = options;
  }

  /** Throws AmbitError `not-authenticated`. */
  authenticate(node: string, token: string): void {
    if (this.#options.tokens.accepts(node, token)) return;
    throw new AmbitError({
      code: "not-authenticated",
      kind: "user",
      what: `the join token is not that of node '${node}'`,
      why: "it has been replaced by a newer one, or it was made by another authority",
      remedy: `make a new one where the authority runs: ambit authority token --node ${node}`,
    });
  }

  /** Throws AmbitError `identity-unknown`, `identity-elsewhere`, or what the signer throws. */
  async sign(node: string, { spiffeId, csr }: SignRequest): Promise<SignAnswer> {
    const { signer, placement, records, lifetimeMs, clock } = this.#options;
    const nodes = placement.nodesOf(spiffeId);
    if (!nodes.includes(node)) throw refusal(node, spiffeId, nodes);
    const now = clock.now();
    const { chainPem: chain, generation } = await signer.sign(csr, spiffeId, lifetimeMs);
    records.issued(node, generation, now + lifetimeMs, now);
    return { chain, generation, trust: this.#trust() };
  }

  /** Resolves when what the node reports is not how things are, when they change, or after a while; or at once, if asked. */
  async watch(node: string, report: NodeReport, signal: AbortSignal): Promise<Trust> {
    const { records, clock } = this.#options;
    records.reported(node, report.trust?.roots ?? "", report.generations, clock.now());
    const { roots, generation } = this.#trust();
    const isCurrent = report.trust?.roots === roots && report.trust.generation === generation;
    if (isCurrent && report.atOnce !== true) await this.#change(signal);
    return this.#trust();
  }

  /** Another root is trusted, or signs: all who wait are told. */
  changed(): void {
    for (const wake of this.#waiting) wake();
  }

  #trust(): Trust {
    const { signer } = this.#options;
    return { roots: signer.roots(), generation: signer.generation() };
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        callOff();
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const callOff = this.#options.clock.after(HOLD_MS, wake);
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
      if (signal.aborted) wake();
    });
  }
}

function refusal(node: string, spiffeId: string, nodes: readonly string[]): AmbitError {
  const known = nodes.length > 0;
  return new AmbitError({
    code: known ? "identity-elsewhere" : "identity-unknown",
    kind: "user",
    what: `node '${node}' gets no certificate for ${spiffeId}`,
    why: known ? `its pods run on ${nodes.join(", ")}` : "no pod of this identity runs in the cluster",
    remedy: known
      ? "if a pod has just been moved it is tried again; otherwise look who asks on that node"
      : "if the pod has just been made it is tried again; otherwise see that agent and authority have the same manifests and trust domain",
  });
}
