import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Debounce } from "../../agent/lib/debounce.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a clock that is set back holds back nothing", async () => {
  let runs = 0;
  const debounce = new Debounce(() => Promise.resolve(void runs++), 10, 100);
  debounce.call();
  await vi.advanceTimersByTimeAsync(10);
  expect(runs).toBe(1);
  vi.setSystemTime(Date.now() - 3_600_000);
  debounce.call();
  await vi.advanceTimersByTimeAsync(100);
  expect(runs).toBe(2);
  debounce.close();
});
