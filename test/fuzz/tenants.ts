import { messageOf } from "../../agent/lib/errors.ts";
import { fc } from "../support/random.ts";
import { tenantObjects } from "../tenant/tenant-objects.ts";
import { TenantJudge } from "../tenant/tenant-judge.ts";
import type { FuzzOptions, FuzzResult, Suite } from "./suite.ts";

const SLICE = 250;

/** One tenant writes whatever it likes. What the agent tells Envoy, the kernel and the filters of others stays the same. */
export const tenants: Suite = {
  name: "tenants",
  summary: "sets of objects of one tenant, against the agent's code",
  size: { count: 10_000 },
  quick: { count: 500 },
  run: runTenants,
};

async function runTenants({ count, seed, progress }: FuzzOptions): Promise<FuzzResult> {
  const judge = new TenantJudge();
  const failures: string[] = [];
  const property = fc.property(tenantObjects, (objects) => {
    const findings = judge.findings(objects);
    if (findings.length > 0) throw new Error(findings.slice(0, 10).join("\n"));
  });
  let sets = 0;
  for (let at = 0; at < count && failures.length === 0; at += SLICE) {
    progress(`${at} of ${count} sets`);
    const result = fc.check(property, { seed: seed + at, numRuns: Math.min(SLICE, count - at) });
    sets += result.numRuns;
    if (result.failed) {
      failures.push(`${messageOf(result.errorInstance)}\n${(await fc.asyncDefaultReportMessage(result)) ?? ""}`);
    }
    const refusal = await judge.envoy.refusal();
    if (refusal !== undefined) failures.push(`Envoy refuses routes or clusters of one of the last sets: ${refusal}`);
  }
  return { figures: { sets, "longest ms": Math.round(judge.longestMs) }, failures };
}
