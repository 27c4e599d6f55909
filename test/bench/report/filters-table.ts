import type { FiltersRun } from "../filters/filters-suite.ts";
import { spread, table } from "./table.ts";

export function filtersTable({ direct, proxied, costs }: FiltersRun): string {
  return table(
    ["in one Envoy with one worker, CPU µs a request", "in all", "added, each time", "of a direct response"],
    [
      ["direct response", spread(direct, 1), "", ""],
      ["proxied", spread(proxied, 1), "", ""],
      ...costs.map(({ name, cpu, added, ofDirect }) => [name, spread(cpu, 1), spread(added, 2), spread(ofDirect, 2)]),
    ],
  );
}
