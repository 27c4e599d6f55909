import type { Clock } from "../../lib/clock.ts";

/** A question without news is answered after this time, so that the agent sees that the authority is alive. */
const HOLD_MS = 25_000;

/** Questions that the authority holds until it has an answer that the asker does not have. */
export class HeldQuestions {
  readonly #clock: Clock;
  readonly #held = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `isDue` returns true (asked now and at each change), after a while, or at `signal`. */
  hold(isDue: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const release = (): void => {
        this.#held.delete(look);
        callOff();
        signal.removeEventListener("abort", release);
        resolve();
      };
      const look = (): void => void (isDue() && release());
      const callOff = this.#clock.after(HOLD_MS, release);
      this.#held.add(look);
      signal.addEventListener("abort", release);
      if (signal.aborted) release();
      else look();
    });
  }

  /** Something has changed: looks at all questions. */
  changed(): void {
    for (const look of this.#held) look();
  }
}
