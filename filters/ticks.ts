/** How often the module's clock has ticked; each root context has one of its own, so that it is no measure of time. */
class Ticks {
  count: i64 = 0;
}

export const ticks = new Ticks();

export const TICK_MS: u32 = 1000;
