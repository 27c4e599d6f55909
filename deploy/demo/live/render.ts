import { BUDGET } from "../once/checks.ts";
import type { Edge } from "./edges.ts";
import type { View } from "./view.ts";

const BAR_WIDTH = 30;

/** The screen's lines, without any control codes. */
export function render(view: View): readonly string[] {
  return [
    `Ambit: a shop without sidecars. The namespace 'shop' is ${view.enrolled ? "in the mesh" : "outside the mesh"}.`,
    "",
    ...edgeTable(view),
    "",
    ...inventoryLines(view),
    "",
    ...containerLines(view),
    "",
    `e: ${view.enrolled ? "leave" : "join"} the mesh   f: inventory fails ${view.failing ? "one call in five" : "every call"}   q: quit`,
  ];
}

const COLUMNS = [14, 14, 10, 10, 11, 9] as const;

function edgeTable({ edges, enrolled }: View): readonly string[] {
  if (edges.length === 0) {
    return [
      enrolled
        ? "No calls seen yet."
        : "Outside the mesh no traffic passes Ambit, so there is nothing to see here yet.",
    ];
  }
  return [row(["FROM", "TO", "PROTOCOL", "RATE", "SUCCESS", "LATENCY"]), ...edges.map((edge) => row(cells(edge)))];
}

function cells({ source, destination, protocol, rate, success, meanLatency }: Edge): readonly string[] {
  return [
    source,
    destination,
    protocol,
    `${rate.toFixed(1)}/s`,
    success === undefined ? "" : share(success),
    meanLatency === undefined ? "" : `${meanLatency.toFixed(1)} ms`,
  ];
}

function row(texts: readonly string[]): string {
  return texts
    .map((text, column) => (column < 3 ? text.padEnd(COLUMNS[column] ?? 0) : text.padStart(COLUMNS[column] ?? 0)))
    .join(" ")
    .trimEnd();
}

function inventoryLines({ inventory: { rate, success, retryShare }, failing, enrolled }: View): readonly string[] {
  const health = failing ? "fails every call" : "fails one call in five";
  const retries = enrolled
    ? `retries   ${bar(retryShare ?? 0)} ${share(retryShare ?? 0)} of calls; the budget allows ${BUDGET.percent} %`
    : "retries   none outside the mesh";
  return [
    `The inventory ${health}; the storefront calls it ${rate.toFixed(1)} times a second:`,
    `success   ${bar(success ?? 0)} ${success === undefined ? "no calls yet" : share(success)}`,
    retries,
  ];
}

function containerLines({ containers: { pods, nodes, withSidecars, withAmbit } }: View): readonly string[] {
  const scale = BAR_WIDTH / Math.max(withSidecars, withAmbit, 1);
  const line = (count: number): string => "█".repeat(Math.round(count * scale)).padEnd(BAR_WIDTH, "·");
  return [
    "Containers on this machine:",
    `sidecars  ${line(withSidecars)} ${withSidecars}: one more in each of ${pods} pods, and in each that comes`,
    `Ambit     ${line(withAmbit)} ${withAmbit}: two on each of ${nodes} nodes, however many pods come`,
  ];
}

function bar(fraction: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_WIDTH);
  return "█".repeat(filled) + "·".repeat(BAR_WIDTH - filled);
}

function share(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}
