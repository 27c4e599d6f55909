import { expect, it } from "vitest";
import { REFUSED_BY_FILTERS } from "../../agent/compile/filters/part-check.ts";
import type { Logger } from "../../agent/lib/log.ts";
import type { Problem } from "../../agent/model/problem.ts";
import { RefusedParts } from "../../agent/node/refused-parts.ts";

it("logs each part that the filters refuse once, and again when it comes again", () => {
  const logged: unknown[] = [];
  const log = { error: (about: unknown) => logged.push(about) } as unknown as Logger;
  const parts = new RefusedParts(log);
  const problem = (code: string, name: string): Problem => ({
    ...{ severity: "error", code, origin: { file: "x.yaml" }, field: "", reason: "why", remedy: "" },
    subject: { group: "", version: "v1", kind: "Pod", namespace: "a", name },
  });
  const one = problem(REFUSED_BY_FILTERS, "one");
  parts.follow([one, problem("other", "two")]);
  parts.follow([one]);
  expect(logged).toEqual([{ object: "Pod a/one", origin: "x.yaml", reason: "why" }]);
  parts.follow([]);
  parts.follow([one]);
  expect(logged).toHaveLength(2);
});
