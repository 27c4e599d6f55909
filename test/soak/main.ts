import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { table } from "../bench/report/table.ts";
import { soak } from "./soak-run.ts";

const HELP = `npm run soak -- [options]

Steady load in all protocols on a lab of two nodes, while pods come and go, a namespace is enrolled and un-enrolled, routes,
policies and Services change, agents and Envoys are killed, and the authority is away for a sixth of the time. Exit code 1
where a call failed that had no excuse, or something leaked.

  --minutes N   how long (default 60)
  --json FILE   where to write everything (default soak.json)
`;

/** Runs the soak; the exit code. `root`: the checkout. */
export async function main(args: readonly string[], root: string): Promise<number> {
  const { values: flags } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean" },
      minutes: { type: "string", default: "60" },
      json: { type: "string", default: "soak.json" },
    },
  });
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  if (flags.help === true) {
    print(HELP);
    return 0;
  }
  const progress = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
  };
  const result = await soak({ root, folder: join(root, "test/soak"), minutes: Number(flags.minutes), progress });
  progress("");
  writeFileSync(flags.json, `${JSON.stringify(result, null, 1)}\n`);
  const { right, failed, unexcused, outages, agentKills, authorityOutages, changes, findings, growth } = result;
  const longest = Math.max(0, ...outages.map(({ from, until }) => until - from));
  print(
    `right: ${Object.entries(right)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(", ")}`,
  );
  print(
    `${changes} changes; the authority away ${authorityOutages} times; agents killed ${agentKills} times; Envoys ${outages.length} times, back within ${longest} ms`,
  );
  print(`failed: ${failed}, of them without an excuse: ${unexcused.length}`);
  for (const { at, kind, reason } of unexcused.slice(0, 20))
    print(`  ${new Date(at).toISOString()} ${kind}: ${reason}`);
  print("");
  print(
    table(
      ["at rest", "at the beginning", "at the end", ""],
      findings.map(({ what, before, after, ok }) => [what, before.toFixed(0), after.toFixed(0), ok ? "" : "GREW"]),
    ),
  );
  for (const { what, perMinute, allowed, ok } of growth) {
    print(`${what}: ${perMinute.toFixed(2)} MB a minute, ${allowed} allowed${ok ? "" : ": GREW"}`);
  }
  return unexcused.length === 0 && [...findings, ...growth].every(({ ok }) => ok) ? 0 : 1;
}
