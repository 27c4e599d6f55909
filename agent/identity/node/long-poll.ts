import { Backoff } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { describe } from "../../lib/errors.ts";

export interface LongPollOptions<Answer> {
  /** `atOnce`: the authority did not answer before, and is asked not to hold this question. */
  readonly ask: (atOnce: boolean, signal: AbortSignal) => Promise<Answer>;
  /** `isBack`: the authority answers again, after it did not. */
  readonly onAnswer: (answer: Answer, isBack: boolean) => void;
  /** The authority has stopped answering. */
  readonly onTrouble?: () => void;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Keeps one question open at the authority, so that a node learns of a change at once. */
export class LongPoll<Answer> {
  readonly #options: LongPollOptions<Answer>;
  readonly #backoff: Backoff;
  #question: AbortController | undefined;
  #callOff = (): void => undefined;
  #closed = false;
  #trouble: string | undefined;

  /** Asks at once. */
  constructor(options: LongPollOptions<Answer>) {
    this.#options = options;
    this.#backoff = new Backoff({ firstMs: 250, longestMs: 30_000, random: options.random });
    // Later, so that `ask` may use what its owner makes of this object.
    queueMicrotask(() => void this.#ask());
  }

  /** Why the authority does not answer; undefined while it does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The question itself has changed: an open one is given up, together with its connection, and asked anew. */
  askAnew(): void {
    if (this.#question === undefined) return;
    this.#question.abort();
    void this.#ask();
  }

  /** The authority has answered another request: after a failure there is no reason to wait any longer. */
  answered(): void {
    if (this.#question !== undefined || this.#trouble === undefined) return;
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
    if (this.#closed) return;
    const question = new AbortController();
    this.#question = question;
    try {
      const answer = await this.#options.ask(this.#trouble !== undefined, question.signal);
      if (this.#isOver(question)) return;
      this.#backoff.reset();
      const isBack = this.#trouble !== undefined;
      this.#trouble = undefined;
      this.#options.onAnswer(answer, isBack);
      // Unless it has been asked anew meanwhile.
      if (!this.#isOver(question)) void this.#ask();
    } catch (error) {
      if (this.#isOver(question)) return;
      this.#question = undefined;
      this.#trouble = describe(error);
      this.#callOff = this.#options.clock.after(this.#backoff.next(), () => void this.#ask());
      this.#options.onTrouble?.();
    }
  }

  #isOver(question: AbortController): boolean {
    return this.#closed || question !== this.#question;
  }
}
