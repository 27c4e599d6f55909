import { vi } from "vitest";

/**
 * Waits until an assertion holds, and gives what it gives. The time is for a machine that is busy with much else: nobody
 * waits for it where all is well.
 */
export function eventually<T>(assertion: () => T | Promise<T>, interval = 5): Promise<T> {
  return vi.waitFor(assertion, { timeout: 30_000, interval });
}
