export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
  /** Returns a number from 0 up to 1: Math.random, or a function of a test. */
  readonly random: () => number;
}

/**
 * The wait before the next try. It doubles with each failure; up to a tenth is taken off at random, so that nodes do
 * not try in step.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Counts a failure. Returns the milliseconds until the next try. */
  next(): number {
    const { firstMs, longestMs, random } = this.#options;
    const whole = Math.min(longestMs, firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return whole * (1 - random() / 10);
  }

  /** Call this after a success: the next failure counts as the first one. */
  reset(): void {
    this.#failures = 0;
  }
}
