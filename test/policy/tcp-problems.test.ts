import { describe, expect, it } from "vitest";
import { compiled } from "../golden/golden-options.ts";
import { ALICE, allow, audit, deny, from, to } from "./case.ts";
import { meshOf } from "./world.ts";
import { printProblem } from "../../agent/model/problem.ts";

async function told(policies: string): Promise<readonly string[]> {
  const { problems } = compiled(await meshOf({ name: "", policies, call: {}, verdict: "allowed" }));
  return problems.map(printProblem).map(({ code, object, field }) => `${code} ${object} ${field}`);
}

describe("a rule that means something else on a TCP port", () => {
  for (const [what, policies, action] of [
    ["DENY by method", deny(to("methods: [GET]")), "deny"],
    ["ALLOW by method", allow(to("methods: [GET]")), "allow"],
    ["ALLOW by method, of the TCP port too", allow(to('methods: [GET], ports: ["8080", "9000"]')), "allow"],
  ] as const) {
    it(`${what} is named`, async () => {
      expect(await told(policies)).toEqual([`http-rule-on-tcp-port AuthorizationPolicy shop/${action} spec.rules[0]`]);
    });
  }
});

describe("nothing is said of a rule that means what it says", () => {
  for (const [what, policies] of [
    ["DENY by method and port", deny(to('methods: [GET], ports: ["8080"]'))],
    ["ALLOW by method and another port", allow(to('methods: [GET], ports: ["8080"]'))],
    ["ALLOW by principal", allow(from(`principals: [${ALICE}]`))],
    ["DENY of everything", deny("[{}]")],
    ["AUDIT by method", audit(to("methods: [GET]"))],
  ] as const) {
    it(`${what}: nothing`, async () => expect(await told(policies)).toEqual([]));
  }
});
