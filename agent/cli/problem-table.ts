import { relative } from "node:path";
import type { PrintedProblem } from "../model/problem.ts";
import { table } from "../lib/terminal/output.ts";

const HEADER = ["SEVERITY", "FILE", "OBJECT", "FIELD", "PROBLEM, AND WHAT TO DO"];

/** Problems for people: errors first, each with its remedy below it. "" if there are none. */
export function problemTable(problems: readonly PrintedProblem[]): string {
  if (problems.length === 0) return "";
  const errors = problems.filter(({ severity }) => severity === "error");
  const warnings = problems.filter(({ severity }) => severity === "warning");
  const rows = [...errors, ...warnings].flatMap(({ severity, origin, object, field, reason, remedy }) => [
    [severity, fromHere(origin), object || "-", field || "-", `${reason}.`],
    ["", "", "", "", `-> ${remedy}`],
  ]);
  return table([HEADER, ...rows]);
}

/** Paths below the current folder become relative. */
function fromHere(origin: string): string {
  const path = relative(process.cwd(), origin);
  return path === "" || path.startsWith("..") ? origin : path;
}
