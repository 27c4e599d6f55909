import { afterAll, beforeAll, expect, it } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { fc } from "../support/random.ts";
import { TenantLab, type Disturbance } from "./tenant-lab.ts";
import { tenantObjects } from "./tenant-objects.ts";

// `npm run fuzz -- tenants-lab` tries more of them, for longer.
const DISTURBANCES: readonly Disturbance[] = ["none", "agent", "pod", "none", "envoy", "none"];
const WATCH_MS = 300;

describePrivileged("a tenant who writes whatever it likes", () => {
  const lab = new TenantLab("tenant");
  beforeAll(() => lab.up());
  afterAll(() => lab.down());

  it("changes no call, policy or metric of others, and opens no pod", async () => {
    const sets = fc.sample(tenantObjects, { numRuns: DISTURBANCES.length });
    for (const [index, objects] of sets.entries()) {
      await lab.attack(index, objects, DISTURBANCES[index] ?? "none", WATCH_MS);
    }
    await lab.calm();
    expect(lab.failures).toEqual([]);
    expect(lab.right).toBeGreaterThan(0);
  });
});
