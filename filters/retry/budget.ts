import { getShared, Key, nowMilliseconds, setShared } from "../../assembly/index";
import { FilterConfig, RetryBudget } from "../config";

// What the workers share for one service, 40 bytes, little endian. Counts are of the current interval and the one before.
const WINDOW: i32 = 0; // u64: start of the interval, ms
const REQUESTS: i32 = 8; // u32
const RETRIES: i32 = 12; // u32
const BEFORE_REQUESTS: i32 = 16; // u32
const BEFORE_RETRIES: i32 = 20; // u32
const MIN_WINDOW: i32 = 24; // u64: start of the minimum rate's interval, ms
const MIN_USED: i32 = 32; // u32
const SIZE: i32 = 40;

/** Another worker may be faster; more often than this it is not worth waiting. */
const MAX_TRIES = 16;

/** What a request was given for its retries. */
export class Grant {
  constructor(
    readonly tokens: u32,
    /** How many of them came out of the minimum rate. */
    readonly ofMinimum: u32,
    readonly window: u64,
    readonly minWindow: u64,
  ) {}
}

/**
 * The budget of one service: retries may be `percent` of the requests of a sliding interval, and `minCount` in each
 * `minIntervalMs` are allowed in any case. Tokens are taken before a request, because the router only asks then how often it may
 * try again, and what was not needed is given back.
 */
export class Budget {
  readonly key: Key;

  constructor(
    readonly service: string,
    readonly percent: u32,
    readonly intervalMs: u64,
    readonly minCount: u32,
    readonly minIntervalMs: u64,
  ) {
    this.key = new Key("ambit.retry." + service);
  }

  /** Counts a request, and takes up to `wanted` tokens for its retries. */
  take(wanted: u32): Grant {
    const now = nowMilliseconds();
    for (let i = 0; i < MAX_TRIES; i++) {
      const shared = getShared(this.key);
      const state = this.state(shared.bytes, now);
      const at = changetype<usize>(state);
      store<u32>(at, load<u32>(at, REQUESTS) + 1, REQUESTS);
      let tokens: u32 = 0;
      let ofMinimum: u32 = 0;
      while (tokens < wanted) {
        if (!this.withinPercent(at, now)) {
          if (load<u32>(at, MIN_USED) >= this.minCount) break;
          store<u32>(at, load<u32>(at, MIN_USED) + 1, MIN_USED);
          ofMinimum++;
        }
        store<u32>(at, load<u32>(at, RETRIES) + 1, RETRIES);
        tokens++;
      }
      if (setShared(this.key, state, shared.cas)) {
        return new Grant(tokens, ofMinimum, load<u64>(at, WINDOW), load<u64>(at, MIN_WINDOW));
      }
    }
    return new Grant(0, 0, 0, 0);
  }

  /** Gives back what was not needed, as far as its interval has not passed. */
  giveBack(grant: Grant, unused: u32): void {
    if (unused == 0) return;
    const now = nowMilliseconds();
    for (let i = 0; i < MAX_TRIES; i++) {
      const shared = getShared(this.key);
      const state = this.state(shared.bytes, now);
      const at = changetype<usize>(state);
      const window = load<u64>(at, WINDOW);
      if (window == grant.window) subtract(at + RETRIES, unused);
      else if (window == grant.window + this.intervalMs) subtract(at + BEFORE_RETRIES, unused);
      const minimum = min(unused, grant.ofMinimum);
      if (load<u64>(at, MIN_WINDOW) == grant.minWindow) subtract(at + MIN_USED, minimum);
      if (setShared(this.key, state, shared.cas)) return;
    }
  }

  private withinPercent(at: usize, now: u64): bool {
    // The interval before counts with the part of it that the sliding interval still covers.
    const covered = this.intervalMs - (now - load<u64>(at, WINDOW));
    const before = <f64>covered / <f64>this.intervalMs;
    const requests = <f64>load<u32>(at, REQUESTS) + before * <f64>load<u32>(at, BEFORE_REQUESTS);
    const retries = <f64>load<u32>(at, RETRIES) + before * <f64>load<u32>(at, BEFORE_RETRIES);
    return (retries + 1) * 100 <= requests * <f64>this.percent;
  }

  /** The state as of now, in a buffer of its own. */
  private state(known: ArrayBuffer | null, now: u64): ArrayBuffer {
    const state = new ArrayBuffer(SIZE);
    const at = changetype<usize>(state);
    if (known === null || known.byteLength != SIZE) {
      store<u64>(at, now, WINDOW);
      store<u64>(at, now, MIN_WINDOW);
      return state;
    }
    memory.copy(at, changetype<usize>(known), SIZE);
    const window = load<u64>(at, WINDOW);
    // A clock that went back must not stop the intervals.
    const passed = now < window ? 2 : (now - window) / this.intervalMs;
    if (passed > 0) {
      store<u32>(at, passed == 1 ? load<u32>(at, REQUESTS) : 0, BEFORE_REQUESTS);
      store<u32>(at, passed == 1 ? load<u32>(at, RETRIES) : 0, BEFORE_RETRIES);
      store<u32>(at, 0, REQUESTS);
      store<u32>(at, 0, RETRIES);
      store<u64>(at, passed == 1 ? window + this.intervalMs : now, WINDOW);
    }
    const minWindow = load<u64>(at, MIN_WINDOW);
    if (now < minWindow || now - minWindow >= this.minIntervalMs) {
      store<u64>(at, now, MIN_WINDOW);
      store<u32>(at, 0, MIN_USED);
    }
    return state;
  }
}

function subtract(pointer: usize, by: u32): void {
  const value = load<u32>(pointer);
  store<u32>(pointer, value > by ? value - by : 0);
}

/** Budgets by `namespace/service`; a service that no policy names has Gateway API's defaults. */
export class Budgets {
  private readonly byService: Map<string, Budget> = new Map();

  constructor(config: FilterConfig) {
    for (let i = 0; i < config.retryBudgets.length; i++) {
      const budget: RetryBudget = config.retryBudgets[i];
      this.byService.set(
        budget.service,
        new Budget(budget.service, budget.percent, budget.intervalMs, budget.minCount, budget.minIntervalMs),
      );
    }
  }

  of(service: string): Budget {
    if (this.byService.has(service)) return this.byService.get(service);
    const budget = new Budget(service, 20, 10_000, 10, 1_000);
    this.byService.set(service, budget);
    return budget;
  }
}
