/** The source of time. Tests pass a clock that stands still until they advance it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Calls `callback` once, after `ms` (at most a few weeks). The returned function cancels that. The timer keeps no
   * process alive.
   */
  after(ms: number, callback: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * For durations: it goes on evenly when somebody sets the machine's clock. A deadline by the time of day would come an hour
 * late after a step of one hour back, and at once after a step forward.
 */
export const STEADY_CLOCK: Clock = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  after: (ms, callback) => SYSTEM_CLOCK.after(ms, callback),
};
