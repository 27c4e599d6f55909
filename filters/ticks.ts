/** How often the module's clock has ticked; each root context has a tick of its own, so the number does not measure time. */
class Ticks {
  count: i64 = 0;
}

export const ticks = new Ticks();

export const TICK_MS: u32 = 1000;
