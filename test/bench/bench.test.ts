import { describe, expect, it } from "vitest";
import { baselineOf, changes } from "./baseline.ts";
import { rows, verdicts, type Series } from "./compare-paths.ts";
import type { Sample } from "./measure-paths.ts";
import { svgPlot } from "./report/svg.ts";
import { rowsTable, table, verdictsTable } from "./report/table.ts";
import { figure, ratio } from "./statistics.ts";

const WORKLOAD = { name: "HTTP/1.1", kind: "http1", port: 1, connections: 1 } as const;
const sample = (rate: number, proxyCpu: number): Sample => ({
  rate,
  p50: 1,
  p99: 2,
  proxyCpu,
  clientCpu: 3,
  memory: 4,
});

/** A machine that is twice as slow in the second round. */
function measured(ambitRate = 100): readonly Series[] {
  const rates = { direct: 400, Ambit: ambitRate, "sidecars, plaintext": 60, "sidecars, mTLS": 50 };
  return (["near", "far"] as const).flatMap((where) =>
    Object.entries(rates).map(([path, rate]) => ({
      where,
      workload: WORKLOAD.name,
      path,
      samples: [sample(rate, 10), sample(rate / 2, 20)],
    })),
  );
}

describe("figures of several rounds", () => {
  it("have a middle and a spread", () => {
    expect(figure([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(figure([1, 4, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(() => figure([])).toThrow("at least one");
  });

  it("are compared round by round", () => {
    expect(ratio([10, 20], [5, 10])).toEqual({ median: 2, min: 2, max: 2 });
    expect(ratio([0], [0])).toEqual({ median: 0, min: 0, max: 0 });
  });

  it("are printed", () => {
    const figures = rows(measured());
    expect(table(["a", "bb"], [["ccc", "1"]])).toBe("a    bb\n---  --\nccc   1");
    expect(rowsTable(figures)).toContain("HTTP/1.1, on one node\npath");
    expect(verdictsTable(verdicts(measured(), [WORKLOAD]))).toContain("2.00 (2.00-2.00)");
    const svg = svgPlot(figures, "a < b");
    expect(svg).toContain("a &lt; b");
    expect(svg.match(/<rect/gu)?.length).toBe(1 + 4 + 3 * 8);
  });

  it("say what has moved beyond the spread, and nothing else", () => {
    const before = baselineOf("here", verdicts(measured(), [WORKLOAD]), undefined);
    expect(changes(before, before)).toEqual([]);
    const slower = baselineOf("here", verdicts(measured(80), [WORKLOAD]), undefined);
    expect(changes(before, slower).map(({ better }) => better)).toEqual([false, false, false, false]);
    expect(changes(slower, before).map(({ better }) => better)).toEqual([true, true, true, true]);
  });
});
