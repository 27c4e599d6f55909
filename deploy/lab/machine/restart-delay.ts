const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
/** A process that ran this long is not in a crash loop. */
const STEADY_MS = 60_000;

/** Kubernetes' back-off between restarts, but faster, since people watch the lab: 1 s, doubling up to 30 s. */
export class RestartDelay {
  #nextMs = FIRST_MS;
  #startedAt = 0;

  started(): void {
    this.#startedAt = Date.now();
  }

  /** Milliseconds to wait before the next start. */
  next(): number {
    if (this.#startedAt !== 0 && Date.now() - this.#startedAt >= STEADY_MS) this.#nextMs = FIRST_MS;
    const delay = this.#nextMs;
    this.#nextMs = Math.min(delay * 2, LONGEST_MS);
    return delay;
  }
}
