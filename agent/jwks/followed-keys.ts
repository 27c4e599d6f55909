import { Backoff } from "../lib/backoff.ts";
import { messageOf } from "../lib/errors.ts";
import type { FetchedKeys, VerificationKey } from "../model/verification-key.ts";

export interface RefreshTimes {
  readonly refreshMs: number;
  /** The wait after a failure; each further failure doubles it, up to `longestRetryMs`. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
}

/** One key set that is fetched again and again. While that fails, the last keys stay. */
export class FollowedKeys {
  readonly #fetch: () => Promise<readonly VerificationKey[]>;
  readonly #changed: () => void;
  readonly #refreshMs: number;
  readonly #backoff: Backoff;
  #state: FetchedKeys;
  #timer: NodeJS.Timeout | undefined;
  #isFetching = false;
  #isClosed = false;

  constructor(
    fetch: () => Promise<readonly VerificationKey[]>,
    stored: readonly VerificationKey[],
    { refreshMs, retryMs, longestRetryMs }: RefreshTimes,
    changed: () => void,
  ) {
    this.#fetch = fetch;
    this.#state = { keys: stored, failure: undefined };
    this.#refreshMs = refreshMs;
    this.#backoff = new Backoff({ firstMs: retryMs, longestMs: longestRetryMs, random: Math.random });
    this.#changed = changed;
  }

  get state(): FetchedKeys {
    return this.#state;
  }

  /** Fetches now, unless a fetch is under way. Never throws. */
  async refresh(): Promise<void> {
    if (this.#isFetching || this.#isClosed) return;
    this.#isFetching = true;
    clearTimeout(this.#timer);
    let wait: number;
    try {
      const keys = await this.#fetch();
      this.#backoff.reset();
      // Up to a tenth less, so that not all nodes ask at once.
      wait = this.#refreshMs * (1 - Math.random() / 10);
      this.#settle({ keys, failure: undefined });
    } catch (error) {
      wait = this.#backoff.next();
      this.#settle({ keys: this.#state.keys, failure: messageOf(error) });
    } finally {
      this.#isFetching = false;
    }
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.refresh(), wait);
    this.#timer.unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #settle(state: FetchedKeys): void {
    if (this.#isClosed || JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    this.#changed();
  }
}
