import { setTimeout as sleep } from "node:timers/promises";
import type { Controls } from "../shop/controls.ts";
import { processesOf, type DemoLab } from "../shop/demo-lab.ts";
import { castOf, Measures } from "../shop/measures.ts";
import {
  BUDGET,
  denied,
  encrypted,
  plainSuccess,
  retriedSuccess,
  sameProcesses,
  sourceAddress,
  withinBudget,
  type Check,
} from "./checks.ts";
import type { Progress } from "./progress.ts";

const CALLS = 2000;
const FAILING_CALLS = 3000;
const DENIED_CALLS = 60;

/** Measures a running lab before the shop joins, in the mesh, and after it has left. Yields each check once it is decided. */
export async function* observe(
  lab: DemoLab,
  controls: Controls,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<Check> {
  const before = await lab.status();
  const cast = castOf(before);
  const measures = new Measures(controls, cast);

  progress.step(`outside the mesh: ${CALLS} calls, of which the inventory fails one in five`);
  yield plainSuccess("success-before", await measures.throughStorefront("stock", CALLS));

  progress.step("the namespace 'shop' joins the mesh by its label");
  await lab.enroll("shop");

  progress.step(`in the mesh: ${CALLS} calls, now with up to three tries`);
  const enrolled = await measures.throughStorefront("stock", CALLS);
  yield retriedSuccess(enrolled);
  yield sourceAddress(enrolled, cast);
  yield encrypted(enrolled, cast);
  yield sameProcesses(processesOf(before), processesOf(await lab.status()));

  progress.step("calls that policy denies");
  const admin = await measures.throughStorefront("admin", DENIED_CALLS);
  yield denied("denied-by-path", admin, admin.reachedByPath["/admin/restock"] ?? 0);
  const inside = await measures.direct(cast.loadgen, DENIED_CALLS);
  yield denied("denied-other-workload", inside, inside.reachedByPeer[cast.loadgen.ip] ?? 0);
  const outside = await measures.direct(cast.stranger, DENIED_CALLS);
  yield denied("denied-from-outside", outside, outside.reachedByPeer[cast.stranger.ip] ?? 0);

  // The budget is a share of all calls of an interval: earlier calls would allow the measured ones more retries.
  progress.step(`waiting ${BUDGET.intervalSeconds} s, so that earlier calls do not add to the retry budget`);
  await sleep(BUDGET.intervalSeconds * 1000, undefined, { signal });
  progress.step(`the inventory fails every call: ${FAILING_CALLS} calls on a retry budget of ${BUDGET.percent} %`);
  await measures.failEvery(1);
  yield withinBudget(await measures.throughStorefront("stock", FAILING_CALLS));
  await measures.failEvery(5);

  progress.step("the namespace 'shop' leaves the mesh");
  await lab.unenroll("shop");
  progress.step(`outside again: ${CALLS} calls`);
  yield plainSuccess("success-after-leaving", await measures.throughStorefront("stock", CALLS));
  yield { ...sameProcesses(processesOf(before), processesOf(await lab.status())), name: "processes-unchanged-at-end" };
}
