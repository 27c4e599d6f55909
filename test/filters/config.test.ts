import { expect, it } from "vitest";
import { WasmHost } from "../host/wasm-host.ts";
import { CHAIN, EMPTY, peer } from "./chain.ts";

// Strings of tenants are in the filters' configuration. None of them may keep it from being read, or from being read whole.

const policy = (namespace: string) => ({
  name: "shop/deny",
  action: "DENY",
  dryRun: false,
  alwaysDeny: false,
  rules: [
    {
      from: [[{ attribute: "source.namespace", path: [], values: [namespace], notValues: [] }]],
      to: [],
      when: [],
    },
  ],
});

const config = (...namespaces: readonly string[]) => ({
  ...EMPTY,
  policySets: [{ id: "set", policies: namespaces.map(policy), jwtRules: [] }],
  pods: [{ uid: "uid-web", policySet: "set" }],
});

/** What a caller from a namespace is answered where this configuration is told; undefined: the module refuses it. */
function ask(told: unknown, namespace: string): number | undefined {
  const wasm = new WasmHost(CHAIN);
  if (!wasm.configure("inbound", told)) return undefined;
  const headers = {
    ":path": "/",
    ":method": "GET",
    "x-ambit-source": peer("alice", namespace),
    "x-ambit-destination": peer("web"),
  };
  return wasm.request({ headers }).answer?.status ?? 200;
}

const ODD = {
  "a backslash at its end": "CORP\\",
  "backslashes alone": "\\\\\\",
  quotes: '"},{"":"',
  NUL: "a\0b",
  "half of a surrogate pair": "\ud800",
  "the other half": "x\udfff\\",
  "control characters": "\b\f\n\r\t\u0001\u007f",
  "what is no ASCII": "ñ😀\u2028",
  "a megabyte": "\\".repeat(1 << 19),
  nothing: "",
} as const;

for (const [name, text] of Object.entries(ODD)) {
  it(`a value with ${name} takes nothing from the policies beside it`, () => {
    const told = config(text, "evil", text);
    expect(ask(told, "evil")).toBe(403);
    expect(ask(told, "good")).toBe(200);
  });
}

it("such a value is itself compared as it was written", () => {
  for (const text of ["CORP\\", '"q"', "ñ😀"]) expect(ask(config(text), text)).toBe(403);
});

const whole = config("evil");
const set = whole.policySets[0];
const REFUSED: readonly (readonly [told: unknown, error: string])[] = [
  [{ ...whole, more: 1 }, "more: no such field is known"],
  ['{"cluster":"a","cluster":"b"', "cluster: the field comes twice"],
  [{ cluster: "a" }, "the field firstByteMs is missing"],
  [{ ...whole, pods: [{ uid: "a" }] }, "pods[0]: the field policySet is missing"],
  [{ ...whole, pods: [{ uid: 1, policySet: "" }] }, "pods[0].uid: a text is expected"],
  [{ ...whole, pods: [null] }, "pods[0]: an object is expected"],
  [{ ...whole, policySets: {} }, "policySets: a list is expected"],
  [
    { ...whole, policySets: [set, { ...set, policies: [{ ...policy("a"), dryRun: "no" }] }] },
    "policySets[1].policies[0].dryRun: true or false is expected",
  ],
  [{ ...whole, clusters: [{ name: "a", policySet: "b", port: -1 }] }, "clusters[0].port: a whole number"],
  [{ ...whole, clusters: [{ name: "a", policySet: "b", port: 1e10 }] }, "clusters[0].port: a whole number"],
  [{ ...whole, series: { outcomes: 1, pair: 2, source: 3 } }, "series: the field all is missing"],
  [{ ...whole, clusters: [{ name: "a", policySet: "b", port: 1.5 }] }, "clusters[0].port: a whole number"],
  [`${JSON.stringify(whole)} x`, "nothing may follow the value"],
  ['{"cluster":"a\\', "cluster: this is no valid string"],
  ['{"cluster":"\\x"', "cluster: this is no valid string"],
  ['{"cluster":"a\nb"', "cluster: this is no valid string"],
  ["[".repeat(100_000), "an object is expected"],
  ["", "an object is expected"],
];

for (const [told, error] of REFUSED) {
  it(`refused as a whole, because: ${error}`, () => {
    const wasm = new WasmHost(CHAIN);
    expect(wasm.configure("inbound", told)).toBe(false);
    expect(wasm.logs.join()).toContain(`: ${error}`);
  });
}

it("a refused configuration leaves the last one in use", () => {
  const wasm = new WasmHost(CHAIN);
  expect(wasm.configure("inbound", whole)).toBe(true);
  expect(wasm.configure("inbound", { ...EMPTY, more: [] })).toBe(false);
  const headers = { ":path": "/", "x-ambit-source": peer("x", "evil"), "x-ambit-destination": peer("web") };
  expect(wasm.request({ headers }).answer?.status).toBe(403);
});
