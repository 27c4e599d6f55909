import { writeFileSync } from "node:fs";
import { messageOf } from "../../agent/lib/errors.ts";
import { watchLive } from "./live/watch-live.ts";
import type { Check } from "./once/checks.ts";
import { observe } from "./once/observe.ts";
import { Progress } from "./once/progress.ts";
import { Controls } from "./shop/controls.ts";
import { DemoLab } from "./shop/demo-lab.ts";
import { writeShop } from "./shop/write-shop.ts";

export interface DemoOptions {
  /** Name of the lab. */
  readonly name: string;
  /** Measure unattended, print the checks, and end. */
  readonly once: boolean;
  /** File for the checks and their figures. */
  readonly json: string | undefined;
  /** Ends the demo early. Everything is taken down all the same. */
  readonly signal: AbortSignal;
}

/** What `--json` writes. */
export interface DemoReport {
  readonly passed: boolean;
  readonly seconds: number;
  readonly checks: readonly Check[];
  /** Why the run ended early, if it did. */
  readonly failure?: string;
}

/** Names of the checks that `--once` has to pass. */
export const REQUIRED_CHECKS = [
  "success-before",
  "success-enrolled",
  "source-address-kept",
  "encrypted-between-nodes",
  "processes-unchanged",
  "denied-by-path",
  "denied-other-workload",
  "denied-from-outside",
  "retries-within-budget",
  "success-after-leaving",
  "processes-unchanged-at-end",
] as const;

const LIVE_PAGES_PER_SECOND = 20;

/** Brings the shop up, runs the demo, and takes everything down, also after a failure. Resolves to true if all went well. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const progress = new Progress((text) => process.stdout.write(text));
  const checks: Check[] = [];
  let failure: unknown;
  try {
    await inLab(options, progress, async (lab, controls) => {
      if (!options.once) return watchLive(lab, controls, options.signal);
      for await (const check of observe(lab, controls, progress, options.signal)) {
        checks.push(check);
        progress.check(check);
        options.signal.throwIfAborted();
      }
    });
  } catch (error) {
    failure = options.signal.aborted ? options.signal.reason : error;
  }
  const report = reportOf(checks, progress.seconds, failure, options.once);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (failure !== undefined) throw failure;
  if (options.once) progress.step(report.passed ? `all ${checks.length} checks passed` : "some checks failed");
  return report.passed;
}

/** Keeps a lab with the shop up while `action` runs. A lab that fails to come up takes itself down. */
async function inLab(
  { name, once, signal }: DemoOptions,
  progress: Progress,
  action: (lab: DemoLab, controls: Controls) => Promise<void>,
): Promise<void> {
  const shop = writeShop({ rate: once ? 0 : LIVE_PAGES_PER_SECOND });
  const lab = new DemoLab(name, signal);
  try {
    progress.step("bringing up two nodes and the shop");
    await lab.up(shop.manifests);
    try {
      await action(lab, new Controls(shop.control, signal));
    } finally {
      progress.step("taking everything down");
      await lab.down();
    }
  } finally {
    shop.remove();
  }
}

export function reportOf(checks: readonly Check[], seconds: number, failure: unknown, once: boolean): DemoReport {
  const passed = new Set(checks.filter((check) => check.passed).map((check) => check.name));
  return {
    passed: failure === undefined && (!once || REQUIRED_CHECKS.every((name) => passed.has(name))),
    seconds: Math.round(seconds * 10) / 10,
    checks,
    ...(failure === undefined ? {} : { failure: messageOf(failure) }),
  };
}
