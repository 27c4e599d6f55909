import { Counter, getShared, Key, nowMilliseconds, setShared } from "../../assembly/index";
import { FilterConfig, RetryBudget } from "../config";
import { labelled } from "../telemetry/metric-name";

// The data that all workers share for one service, little endian: a ring of slots that make up one interval.
const SLOTS: u64 = 10;
const NEWEST: i32 = 0; // u64: number of the newest slot since 1970
const MIN_WINDOW: i32 = 8; // u64: start of the minimum rate's interval, ms
const MIN_USED: i32 = 16; // u32: retries out of the minimum rate
const RING: i32 = 24; // SLOTS times: u32 requests, u32 retries
const SLOT_SIZE: i32 = 8;
const RETRIES: i32 = 4;
const SIZE: i32 = RING + <i32>SLOTS * SLOT_SIZE;

/** Another worker may write first. After this many attempts the module gives up. */
const MAX_TRIES = 16;

/** The tokens that a request got for its retries. */
export class Grant {
  constructor(
    readonly tokens: u32,
    /** How many of them came out of the minimum rate. */
    readonly ofMinimum: u32,
    readonly slot: u64,
    readonly minWindow: u64,
  ) {}
}

/**
 * The budget of one service: in a sliding interval retries may be `percent` of the requests, and `minCount` in each
 * `minIntervalMs` are always allowed. The filter takes tokens before a request, because the router asks only then how
 * often it may try again, and gives unused tokens back.
 */
export class Budget {
  readonly key: Key;
  private readonly slotMs: u64;
  readonly retries: Counter;
  readonly exhausted: Counter;

  constructor(
    readonly service: string,
    readonly percent: u32,
    intervalMs: u64,
    readonly minCount: u32,
    readonly minIntervalMs: u64,
  ) {
    this.key = new Key("ambit.retry." + service);
    this.slotMs = max<u64>(1, intervalMs / SLOTS);
    this.retries = new Counter(labelled("ambit_retries_total", ["destination_service", service]));
    this.exhausted = new Counter(labelled("ambit_retry_budget_exhausted_total", ["destination_service", service]));
  }

  /** Counts a request, and takes up to `wanted` tokens for its retries. */
  take(wanted: u32): Grant {
    const now = nowMilliseconds();
    for (let i = 0; i < MAX_TRIES; i++) {
      const shared = getShared(this.key);
      const state = this.state(shared.bytes, now);
      const at = changetype<usize>(state);
      const newest = load<u64>(at, NEWEST);
      const slot = slotAt(at, newest);
      store<u32>(slot, load<u32>(slot) + 1);
      const allowed = (total(at, 0) * this.percent) / 100;
      let used = total(at, RETRIES);
      let tokens: u32 = 0;
      let ofMinimum: u32 = 0;
      while (tokens < wanted) {
        if (used >= allowed) {
          if (load<u32>(at, MIN_USED) + ofMinimum >= this.minCount) break;
          ofMinimum++;
        }
        used++;
        tokens++;
      }
      store<u32>(slot, load<u32>(slot, RETRIES) + tokens, RETRIES);
      store<u32>(at, load<u32>(at, MIN_USED) + ofMinimum, MIN_USED);
      if (setShared(this.key, state, shared.cas)) {
        return new Grant(tokens, ofMinimum, newest, load<u64>(at, MIN_WINDOW));
      }
    }
    return new Grant(0, 0, 0, 0);
  }

  /** Gives unused tokens back, unless their interval has passed. */
  giveBack(grant: Grant, unused: u32): void {
    if (unused == 0) return;
    const now = nowMilliseconds();
    for (let i = 0; i < MAX_TRIES; i++) {
      const shared = getShared(this.key);
      const state = this.state(shared.bytes, now);
      const at = changetype<usize>(state);
      const newest = load<u64>(at, NEWEST);
      if (grant.slot <= newest && newest - grant.slot < SLOTS) subtract(slotAt(at, grant.slot) + RETRIES, unused);
      if (load<u64>(at, MIN_WINDOW) == grant.minWindow) subtract(at + MIN_USED, min(unused, grant.ofMinimum));
      if (setShared(this.key, state, shared.cas)) return;
    }
  }

  /** The state as of now, in a buffer of its own. */
  private state(known: ArrayBuffer | null, now: u64): ArrayBuffer {
    const state = new ArrayBuffer(SIZE);
    const at = changetype<usize>(state);
    const current = now / this.slotMs;
    if (known !== null && known.byteLength == SIZE) memory.copy(at, changetype<usize>(known), SIZE);
    const newest = load<u64>(at, NEWEST);
    // The clock went back, or no request came for long: all slots are from other intervals.
    if (current < newest || current - newest >= SLOTS) memory.fill(at + RING, 0, SIZE - RING);
    else for (let slot = newest + 1; slot <= current; slot++) store<u64>(slotAt(at, slot), 0);
    store<u64>(at, current, NEWEST);
    const minWindow = load<u64>(at, MIN_WINDOW);
    if (now < minWindow || now - minWindow >= this.minIntervalMs) {
      store<u64>(at, now, MIN_WINDOW);
      store<u32>(at, 0, MIN_USED);
    }
    return state;
  }
}

function slotAt(at: usize, number: u64): usize {
  return at + RING + <usize>(number % SLOTS) * SLOT_SIZE;
}

/** Requests (offset 0) or retries of all slots. */
function total(at: usize, offset: usize): u32 {
  let sum: u32 = 0;
  for (let slot: u64 = 0; slot < SLOTS; slot++) sum += load<u32>(slotAt(at, slot) + offset);
  return sum;
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
