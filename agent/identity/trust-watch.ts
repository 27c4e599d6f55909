import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { describe } from "../lib/errors.ts";
import type { CertificateSource } from "./certificate-source.ts";
import type { NodeReport, Trust } from "./protocol.ts";

export interface TrustWatchOptions {
  readonly source: CertificateSource;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: () => NodeReport;
  /** `isBack`: the authority answers again, after it did not. */
  readonly onTrust: (trust: Trust, isBack: boolean) => void;
}

/** Keeps one question open at the authority: who is trusted now? So a node learns of a new root at once. */
export class TrustWatch {
  readonly #options: TrustWatchOptions;
  readonly #backoff: Backoff;
  #question: AbortController | undefined;
  #asked = "";
  #callOff = (): void => undefined;
  #closed = false;
  #trouble: string | undefined;

  constructor(options: TrustWatchOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ firstMs: 250, longestMs: 30_000, random: options.random });
    void this.#ask();
  }

  /** Why the authority does not answer, if it does not. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** What is reported may have changed: asks anew if it has. */
  reportChanged(): void {
    if (this.#question === undefined || JSON.stringify(this.#options.report()) === this.#asked) return;
    this.#question.abort();
    void this.#ask();
  }

  /** The authority has answered something else: there is no reason to wait any longer. */
  answered(): void {
    if (this.#closed || this.#question !== undefined || this.#trouble === undefined) return;
    this.#callOff();
    this.#backoff.reset();
    void this.#ask();
  }

  close(): void {
    this.#closed = true;
    this.#callOff();
    this.#question?.abort();
  }

  async #ask(): Promise<void> {
    const question = new AbortController();
    const report = this.#options.report();
    this.#question = question;
    this.#asked = JSON.stringify(report);
    try {
      const trust = await this.#options.source.watch(
        { ...report, atOnce: this.#trouble !== undefined },
        question.signal,
      );
      if (this.#isOver(question)) return;
      this.#backoff.reset();
      const isBack = this.#trouble !== undefined;
      this.#trouble = undefined;
      this.#options.onTrust(trust, isBack);
      // Unless it has been asked anew meanwhile.
      if (!this.#isOver(question)) void this.#ask();
    } catch (error) {
      if (this.#isOver(question)) return;
      this.#question = undefined;
      this.#trouble = describe(error);
      this.#callOff = this.#options.clock.after(this.#backoff.next(), () => void this.#ask());
    }
  }

  #isOver(question: AbortController): boolean {
    return this.#closed || question !== this.#question;
  }
}
