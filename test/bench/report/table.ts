import type { Row, Verdict } from "../compare-paths.ts";
import type { Figure } from "../statistics.ts";

export const WHERE = { near: "on one node", far: "across two nodes" } as const;

/** Columns as wide as their widest cell; the first is text, the others are numbers. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => (line[column] ?? "").length)),
  );
  const print = (line: readonly string[]): string =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [print(head), print(widths.map((width) => "-".repeat(width))), ...lines.map(print)].join("\n");
}

const HEAD = ["path", "per second", "of direct", "p50 ms", "p99 ms", "proxies' CPU µs", "client µs", "proxies' MB"];

export function rowsTable(rows: readonly Row[]): string {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const title = `${row.workload}, ${WHERE[row.where]}`;
    groups.set(title, [...(groups.get(title) ?? []), row]);
  }
  return [...groups]
    .map(([title, group]) => {
      const lines = group.map((row) => [
        row.path,
        spread(row.rate, 0),
        row.rateOfDirect.median.toFixed(2),
        row.p50.median.toFixed(2),
        spread(row.p99, 2),
        spread(row.proxyCpu, 0),
        row.clientCpu.median.toFixed(0),
        row.memory.median.toFixed(0),
      ]);
      return `${title}\n${table(HEAD, lines)}`;
    })
    .join("\n\n");
}

export function verdictsTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map((verdict) => [
    `${verdict.workload}, ${WHERE[verdict.where]}, against ${verdict.against}`,
    spread(verdict.rate, 2),
    spread(verdict.p99, 2),
    spread(verdict.proxyCpu, 2),
  ]);
  return table(["Ambit, of the other in the same round (median, and least to most)", "rate", "p99", "CPU"], lines);
}

export function spread({ median, min, max }: Figure, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}
