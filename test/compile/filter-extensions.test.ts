import { expect, it } from "vitest";
import type { FilterConfig } from "../../agent/compile/filters/filter-config.ts";
import { filterExtensions, newExtensionMemory } from "../../agent/compile/filters/filter-extensions.ts";
import { EMPTY } from "../filters/chain.ts";
import { rule } from "../filters/jwt-host.ts";

const CONFIG: FilterConfig = {
  ...EMPTY,
  policySets: ["called", "here", "elsewhere"].map((id) => ({ id, policies: [], jwtRules: [`rule-${id}`] })),
  jwtRules: ["called", "here", "elsewhere"].map((id) => rule({ id: `rule-${id}` })),
  tcpPolicySets: ["called", "here", "elsewhere"].map((id) => ({ id, policies: [], jwtRules: [] })),
  clusters: [{ name: "10.96.0.10:80", policySet: "called", port: 80 }],
  pods: [{ uid: "uid-here", policySet: "here" }],
};

/** Which of the sets and rules a place is told of. */
function told(place: string): readonly string[] {
  const found = filterExtensions(CONFIG, "/chain.wasm", newExtensionMemory(0)).find(({ name }) => name === place);
  const text = Buffer.from(found?.typedConfig?.value ?? []).toString("utf8");
  return [...text.matchAll(/"id":"([^"]+)"/gu)].map(([, id]) => id ?? "");
}

it("each place of the module is told of the policies and rules for tokens that it needs, and no others", () => {
  expect(told("ambit-outbound")).toEqual(["called", "rule-called"]);
  expect(told("ambit-outbound-routed")).toEqual(["called", "rule-called"]);
  expect(told("ambit-inbound")).toEqual(["here", "rule-here"]);
  expect(told("ambit-guard")).toEqual(["here"]);
  expect(told("ambit-outbound-tcp")).toEqual([]);
});
