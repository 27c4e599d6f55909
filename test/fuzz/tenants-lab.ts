import { fc } from "../support/random.ts";
import { TenantLab, type Disturbance } from "../tenant/tenant-lab.ts";
import { tenantObjects } from "../tenant/tenant-objects.ts";
import type { FuzzOptions, FuzzResult, Suite } from "./suite.ts";

const DISTURBANCES: readonly Disturbance[] = ["none", "agent", "none", "pod", "none", "envoy"];

/** The same objects against a lab: what one tenant writes changes no call, policy or metric of another, and opens no pod. */
export const tenantsLab: Suite = {
  name: "tenants-lab",
  summary: "sets of objects of one tenant, against a lab whose agents, Envoys and pods are replaced",
  size: { count: 300 },
  quick: { count: 12 },
  run: runTenantsLab,
};

async function runTenantsLab({ count, seed, progress }: FuzzOptions): Promise<FuzzResult> {
  const sets = fc.sample(tenantObjects, { numRuns: count, seed });
  const lab = new TenantLab("fuzz");
  let done = 0;
  try {
    progress("a lab comes up");
    await lab.up();
    for (const [index, objects] of sets.entries()) {
      progress(`set ${index} of ${count}; ${lab.right} calls as they must be`);
      await lab.attack(index, objects, DISTURBANCES[index % DISTURBANCES.length] ?? "none", 1_000);
      done++;
    }
    await lab.calm();
  } finally {
    await lab.down();
  }
  return { figures: { sets: done, "calls as they must be": lab.right }, failures: lab.failures };
}
