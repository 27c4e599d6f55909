/** The pause after a run is at least this many times as long as the run. */
const REST = 3;

/**
 * Runs a task `waitMs` after the last of several calls, but at most `maxWaitMs` after the first call. The task never runs
 * twice at the same time: calls during a run cause one more run. However many calls come, the task runs for at most a quarter
 * of the time.
 */
export class Debounce {
  private readonly task: () => Promise<void>;
  private readonly waitMs: number;
  private readonly maxWaitMs: number;
  private timer: NodeJS.Timeout | undefined;
  private firstCallMs: number | undefined;
  private restUntilMs = 0;
  private running = false;
  private closed = false;

  /** `task` must not reject. */
  constructor(task: () => Promise<void>, waitMs: number, maxWaitMs: number) {
    this.task = task;
    this.waitMs = waitMs;
    this.maxWaitMs = maxWaitMs;
  }

  call(): void {
    if (this.closed) return;
    this.firstCallMs ??= performance.now();
    if (!this.running) this.schedule(this.firstCallMs);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private schedule(firstCallMs: number): void {
    clearTimeout(this.timer);
    const latest = firstCallMs + this.maxWaitMs - performance.now();
    const rest = this.restUntilMs - performance.now();
    this.timer = setTimeout(() => void this.run(), Math.max(0, rest, Math.min(this.waitMs, latest)));
  }

  private async run(): Promise<void> {
    this.firstCallMs = undefined;
    this.running = true;
    const startedMs = performance.now();
    await this.task();
    this.restUntilMs = performance.now() + (performance.now() - startedMs) * REST;
    this.running = false;
    // A call during the run has set it again.
    if (this.firstCallMs !== undefined && !this.closed) this.schedule(this.firstCallMs);
  }
}
