export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
  /** From 0 up to 1: Math.random, or a test's own. */
  readonly random: () => number;
}

/** How long to wait before the next try: doubling, and each time up to a tenth off, so that many do not try as one. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Milliseconds from this failure to the next try. */
  next(): number {
    const { firstMs, longestMs, random } = this.#options;
    const whole = Math.min(longestMs, firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return whole * (1 - random() / 10);
  }

  /** It has worked: the next failure is the first one. */
  reset(): void {
    this.#failures = 0;
  }
}
