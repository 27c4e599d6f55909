import { setTimeout as sleep } from "node:timers/promises";

/** Looks again and again until `done` says yes or `timeoutMs` has passed; what it saw last. */
export async function poll<T>(
  timeoutMs: number,
  intervalMs: number,
  look: () => Promise<T>,
  done: (seen: T) => boolean,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (done(seen) || Date.now() >= end) return seen;
    await sleep(intervalMs);
  }
}
