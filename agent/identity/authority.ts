import type { Clock } from "../lib/clock.ts";
import { AmbitError } from "../lib/errors.ts";
import { HeldQuestions } from "./authority/held-questions.ts";
import type { JoinTokens } from "./join-token.ts";
import type { NodeRecords } from "./node-records.ts";
import type { NodeReport, SignAnswer, SignRequest, Trust } from "./protocol.ts";
import type { CertificateSigner } from "./signer.ts";

/** Where pods run, as the source of objects has it now. */
export interface Placement {
  /** Names of the nodes on which pods of this identity run. */
  nodesOf(spiffeId: string): readonly string[];
  /** Name of the node on which the pod with this UID runs; undefined: the source does not know it. */
  nodeOf(uid: string): string | undefined;
}

export interface AuthorityParts {
  readonly signer: CertificateSigner;
  readonly tokens: JoinTokens;
  readonly placement: Placement;
  readonly records: NodeRecords;
  readonly lifetimeMs: number;
  readonly clock: Clock;
}

/** Decides who gets a certificate: a node, for identities of pods that run on it, and nobody else. */
export class Authority {
  readonly #options: AuthorityParts;
  readonly #held: HeldQuestions;

  constructor(options: AuthorityParts) {
    this.#options = options;
    this.#held = new HeldQuestions(options.clock);
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
    const isOld = (): boolean => {
      const { roots, generation } = this.#trust();
      return report.trust?.roots !== roots || report.trust.generation !== generation;
    };
    if (report.atOnce !== true) await this.#held.hold(isOld, signal);
    return this.#trust();
  }

  /** Another root is trusted, or signs: all who wait are told. */
  changed(): void {
    this.#held.changed();
  }

  #trust(): Trust {
    const { signer } = this.#options;
    return { roots: signer.roots(), generation: signer.generation() };
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
