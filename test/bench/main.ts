import { writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { baselineOf, changes, readBaseline, writeBaseline } from "./baseline.ts";
import { rows, verdicts } from "./compare-paths.ts";
import { runFilters } from "./filters/filters-suite.ts";
import { runPaths } from "./paths-suite.ts";
import { filtersTable } from "./report/filters-table.ts";
import { sizeTable } from "./report/size-table.ts";
import { svgPlot } from "./report/svg.ts";
import { rowsTable, spread, verdictsTable } from "./report/table.ts";
import { runSize } from "./size/size-suite.ts";

const HELP = `npm run bench -- [paths] [filters] [size] [options]

  paths    calls direct, through Ambit, through sidecars; the same requests, in turns
  filters  what the built-in filters cost in Envoy, together and by their parts
  size     100 pods, 1,000 and 5,000 Services on one node
           (default: paths and filters)

  --rounds N        rounds of each comparison (default 5)
  --seconds N       length of each slice of load (default 2)
  --quick           3 rounds of 1 s, HTTP/1.1 only
  --only TEXT       workloads whose name has TEXT in it
  --sidecar-workers N  workers of each sidecar (default 2)
  --json FILE, --svg FILE  where to write the figures (default bench.json, bench.svg)
  --compare         against test/bench/baseline.json; exit code 1 where something has become worse
  --save-baseline   write that file
`;

/** Runs what the command line asks for; the exit code. `root`: the checkout. */
export async function main(args: readonly string[], root: string): Promise<number> {
  const { values: flags, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: "boolean" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "2" },
      quick: { type: "boolean" },
      only: { type: "string" },
      "sidecar-workers": { type: "string", default: "2" },
      json: { type: "string", default: "bench.json" },
      svg: { type: "string", default: "bench.svg" },
      compare: { type: "boolean" },
      "save-baseline": { type: "boolean" },
    },
  });
  if (flags.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const suites = positionals.length === 0 ? ["paths", "filters"] : positionals;
  const quick = flags.quick === true;
  const rounds = quick ? 3 : Number(flags.rounds);
  const seconds = quick ? 1 : Number(flags.seconds);
  const only = flags.only ?? (quick ? "HTTP/1.1" : undefined);
  const bench = join(root, "test/bench");
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "CPU"}, Linux ${release()}, Node ${process.version}`;
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const progress = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
  };
  print(`${machine}\n`);

  const filters = suites.includes("filters") ? await runFilters({ root, rounds, progress }) : undefined;
  if (filters !== undefined) print(`${filtersTable(filters)}\n`);
  const size = suites.includes("size") ? await runSize({ root, progress }) : undefined;
  if (size !== undefined) print(`${sizeTable(size)}\n`);
  const sidecarWorkers = Number(flags["sidecar-workers"]);
  const paths = suites.includes("paths")
    ? await runPaths({ root, bench, rounds, seconds, only, sidecarWorkers, progress })
    : undefined;
  progress("");
  const figures = paths === undefined ? [] : rows(paths.series);
  const compared = paths === undefined ? [] : verdicts(paths.series, paths.workloads);
  if (paths !== undefined) {
    print(`${rowsTable(figures)}\n\n${verdictsTable(compared)}\n`);
    print(`Ambit's agents: ${paths.agentMemory.map((megabytes) => `${megabytes.toFixed(0)} MB`).join(", ")}`);
    print(
      `Envoy of a node: one worker for each CPU. Sidecars: ${sidecarWorkers} workers each, redirected by iptables.`,
    );
    writeFileSync(flags.svg, svgPlot(figures, `Calls through Ambit and through sidecars — ${machine}`));
  }
  writeFileSync(
    flags.json,
    `${JSON.stringify({ machine, filters, size, paths: figures, verdicts: compared }, null, 1)}\n`,
  );

  const file = join(bench, "baseline.json");
  const now = baselineOf(machine, compared, filters?.share);
  if (flags["save-baseline"] === true) writeBaseline(file, now);
  if (flags.compare !== true) return 0;
  const before = readBaseline(file);
  if (before === undefined) throw new Error(`there is no baseline at ${file}; write one with --save-baseline`);
  const moved = changes(before, now);
  print(`\nAgainst the baseline (${before.machine}):`);
  for (const { name, better, before: old, now: figure } of moved) {
    print(`  ${better ? "better" : "WORSE "}  ${name}: ${spread(old, 2)} → ${spread(figure, 2)}`);
  }
  if (moved.length === 0) print("  nothing has changed beyond the spread of the rounds");
  return moved.some(({ better }) => !better) ? 1 : 0;
}
