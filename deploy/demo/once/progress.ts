import type { Check } from "./checks.ts";

/** Prints what happens, line by line, with the time since the start. */
export class Progress {
  private readonly started = performance.now();
  private readonly write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.write = write;
  }

  get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  step(text: string): void {
    this.write(`${this.seconds.toFixed(1).padStart(6)} s  ${text}\n`);
  }

  check({ name, passed, expected, measured }: Check): void {
    const figures = Object.entries(measured).map(([key, value]) => `${key} ${plain(value)}`);
    this.write(`          ${passed ? "ok    " : "FAILED"} ${name}: ${figures.join(", ")}\n`);
    if (!passed) this.write(`                 expected: ${expected}\n`);
  }
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(" ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
