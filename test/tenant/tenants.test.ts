import { expect, it } from "vitest";
import { fc } from "../support/random.ts";
import { TenantJudge } from "./tenant-judge.ts";
import { TENANT, tenantObjects } from "./tenant-objects.ts";

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

it("nor do the filters when they refuse whatever names the tenant, in 100 sets of objects", () => {
  const judge = new TenantJudge((configuration) => (configuration.includes(TENANT) ? "a fault" : undefined));
  fc.assert(
    fc.property(tenantObjects, (objects) => {
      expect(judge.findings(objects)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
