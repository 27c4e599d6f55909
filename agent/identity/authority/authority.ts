import type { Clock } from "../../lib/clock.ts";
import { AmbitError } from "../../lib/errors.ts";
import { HeldQuestions } from "./held-questions.ts";
import type { JoinTokens } from "./join-tokens.ts";
import type { NodeRecords } from "./node-records.ts";
import type { Placement } from "./placement.ts";
import type { NodeReport, SignAnswer, SignRequest, Trust } from "../authority-protocol.ts";
import type { CertificateSigner } from "./signer.ts";

export interface AuthorityParts {
  readonly signer: CertificateSigner;
  readonly tokens: JoinTokens;
  readonly placement: Placement;
  readonly records: NodeRecords;
  readonly lifetimeMs: number;
  readonly clock: Clock;
}

/** Gives a node certificates for the identities of pods that run on it, and for no others; tells nodes the roots. */
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
      why: "it has been replaced by a newer one, or another authority made it",
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

  /** Resolves when the node's report differs from the roots, or after a while; at once if the report asks for that. */
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

  /** Another root is trusted, or signs: answers the questions of all nodes. */
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
      ? "nothing if a pod has just moved, as the agent tries again; otherwise find out which process on that node asks"
      : "nothing if the pod is new, as the agent tries again; otherwise check that agent and authority have the same manifests and trust domain",
  });
}
