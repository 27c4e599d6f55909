import { expect, it } from "vitest";
import { fc } from "../support/random.ts";
import { TenantJudge } from "./tenant-judge.ts";
import { tenantObjects } from "./tenant-objects.ts";

// `npm run fuzz -- tenants` tries more of them.
it("nothing that one tenant writes changes what nodes are told of others, in 1,000 sets of objects", async () => {
  const judge = new TenantJudge();
  fc.assert(
    fc.property(tenantObjects, (objects) => {
      expect(judge.findings(objects)).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
  expect(await judge.envoy.refusal()).toBeUndefined();
});
