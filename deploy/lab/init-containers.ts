import type { Container } from "./container.ts";

/** Init containers run one after the other, each to its end; a sidecar (restartPolicy Always) only has to have begun. */
export class InitContainers {
  readonly all: readonly Container[];
  readonly #begun = new Set<Container>();

  constructor(all: readonly Container[]) {
    this.all = all;
  }

  /** Starts the next one if its time has come. True when all are through. */
  advance(): boolean {
    for (const container of this.all) {
      if (isThrough(container)) continue;
      if (!this.#begun.has(container)) {
        this.#begun.add(container);
        container.start();
      }
      if (!isThrough(container)) return false;
    }
    return true;
  }

  /** Why they never will be, where one has failed and is not tried again; "" otherwise. */
  failure(): string {
    for (const { state, spec } of this.all) {
      if (state.kind === "exited" && state.code !== 0) return `init container ${spec.name} ended with ${state.reason}`;
    }
    return "";
  }

  /** Which one the pod waits for, in words. */
  explain(): string {
    const done = this.all.filter(isThrough).length;
    const current = this.all.find((container) => !isThrough(container));
    if (current === undefined) return "";
    const { state, spec } = current;
    return `Init ${done}/${this.all.length}: ${spec.name} ${state.kind === "running" ? "runs" : state.reason}`;
  }
}

function isThrough({ state, spec }: Container): boolean {
  if (spec.restartPolicy === "Always") return state.kind === "running";
  return state.kind === "exited" && state.code === 0;
}
