import { randomUUID } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/log.ts";
import type { NodeRecords } from "./node-records.ts";
import type { ExchangeNews, ExchangeQuestion, ExchangeReport, Position, Standing } from "../authority-protocol.ts";
import type { Placement } from "./placement.ts";
import { ExchangeLog, type ExchangeNode } from "./exchange-log.ts";
import { HeldQuestions } from "./held-questions.ts";

export interface ExchangeServiceOptions {
  readonly records: NodeRecords;
  readonly placement: Placement;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The authority's end of the exchange between nodes. */
export class ExchangeService {
  readonly #options: ExchangeServiceOptions;
  readonly #log: ExchangeLog;
  readonly #held: HeldQuestions;

  constructor(options: ExchangeServiceOptions) {
    const { records, placement, clock } = options;
    this.#options = options;
    this.#log = new ExchangeLog({
      instance: randomUUID(),
      clock,
      nodes: records,
      nodeOf: (uid) => placement.nodeOf(uid),
    });
    this.#held = new HeldQuestions(clock);
  }

  report(node: string, report: ExchangeReport): Standing {
    this.#hear(node);
    this.#refused(node, this.#log.report(node, report));
    this.#held.changed();
    return this.#log.standing(node);
  }

  /** Resolves when there is something that the node does not know, or after a while; or at once, if asked. */
  async exchange(node: string, question: ExchangeQuestion, signal: AbortSignal): Promise<ExchangeNews> {
    this.#hear(node);
    if (question.atOnce !== true) await this.#held.hold(() => this.#log.hasNews(node, question), signal);
    if (!signal.aborted) this.#hear(node);
    return this.#log.news(node, question);
  }

  /** To be called every second or so: certificates end, and the source learns of pods. */
  refresh(): void {
    for (const [node, uids] of this.#log.refresh()) this.#refused(node, uids);
    this.#held.changed();
  }

  position(): Position {
    return this.#log.position;
  }

  nodes(): ReadonlyMap<string, ExchangeNode> {
    return this.#log.status();
  }

  #hear(node: string): void {
    this.#options.records.hear(node, this.#options.clock.now());
  }

  #refused(node: string, uids: readonly string[]): void {
    for (const uid of uids) {
      const runsOn = this.#options.placement.nodeOf(uid);
      this.#options.log.warn({ node, uid, runsOn }, "a node announces a pod of another node: refused");
    }
  }
}
