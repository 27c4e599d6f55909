import { expect, it } from "vitest";
import { fuzzFilterConfig } from "../fuzz/filter-config.ts";

it("a configuration of arbitrary text is read whole or refused, and does no harm", () => {
  const { failures, figures } = fuzzFilterConfig({ seed: 1, count: 5_000, minutes: 0, progress: () => undefined });
  expect(failures).toEqual([]);
  expect(Number(figures["taken"])).toBeGreaterThan(1_000);
});
