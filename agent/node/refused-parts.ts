import { REFUSED_BY_FILTERS } from "../compile/filters/part-check.ts";
import type { Logger } from "../lib/log.ts";
import { printProblem, type Problem } from "../model/problem.ts";

/** Logs each part that the filters refuse, once: it shows a fault of Ambit, which the object's author may never look for. */
export class RefusedParts {
  readonly #log: Logger;
  #known: ReadonlySet<string> = new Set();

  constructor(log: Logger) {
    this.#log = log;
  }

  follow(problems: readonly Problem[]): void {
    const found = problems.filter(({ code }) => code === REFUSED_BY_FILTERS).map(printProblem);
    const now = new Map(found.map((problem) => [`${problem.object} ${problem.reason}`, problem]));
    for (const [key, problem] of now) {
      const { object, origin, reason } = problem;
      if (!this.#known.has(key))
        this.#log.error({ object, origin, reason }, "the filters refuse a part: it is left out");
    }
    this.#known = new Set(now.keys());
  }
}
