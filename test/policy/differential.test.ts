import { fc } from "../support/random.ts";
import { expect, it } from "vitest";
import type { AuthzCall } from "../../agent/policy/call.ts";
import { evaluate } from "../../agent/policy/evaluate.ts";
import type { FilterPolicy } from "../../agent/compile/filters/filter-config.ts";
import type {
  AuthorizationPolicy,
  PolicyAttribute,
  PolicyCondition,
  PolicyRule,
} from "../../agent/model/authorization-policy.ts";
import { CHAIN, EMPTY, peer } from "../filters/chain.ts";
import { WasmHost } from "../host/wasm-host.ts";

// Whoever asks why a call is denied is told by other code than denies it: the two must say the same of everything.

const PATTERNS: Readonly<Partial<Record<PolicyAttribute, readonly string[]>>> = {
  "source.principal": ["cluster.local/ns/shop/sa/alice", "cluster.local/ns/*", "*/sa/bob", "*", "alice"],
  "source.namespace": ["shop", "ops", "sh*", "*op", "*"],
  "source.serviceAccount": ["shop/alice", "ops/bob"],
  "source.ip": ["10.0.0.1/32", "10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/8", "fd00::1/128", "10.0.0.0/31"],
  "remote.ip": ["10.0.0.2/32", "fd00::/64"],
  "request.host": ["web.shop", "*.shop", "web*", "*"],
  "request.method": ["GET", "P*", "*T", "*"],
  "request.path": ["/", "/a", "/a*", "*/b", "*", "/{*}", "/a/{**}", "/{*}/b", "/{**}/b", "/a/{*}/{**}", "/a%2Fb"],
  "request.headers": ["x", "y*", "*z", "*", "x,y"],
  "destination.port": ["8080", "80"],
  "connection.sni": ["web.shop", "*"],
};
const ATTRIBUTES = Object.keys(PATTERNS) as PolicyAttribute[];

const condition: fc.Arbitrary<PolicyCondition> = fc.constantFrom(...ATTRIBUTES).chain((attribute) => {
  const list = fc.uniqueArray(fc.constantFrom(...(PATTERNS[attribute] ?? [])), { maxLength: 2 });
  const path = attribute === "request.headers" ? ["x-env"] : [];
  return fc
    .record({ attribute: fc.constant(attribute), path: fc.constant(path), values: list, notValues: list })
    .filter(({ values, notValues }) => values.length + notValues.length > 0);
});
const conditions = fc.array(condition, { minLength: 1, maxLength: 3 });
const rule: fc.Arbitrary<PolicyRule> = fc.record({
  from: fc.array(conditions, { maxLength: 2 }),
  to: fc.array(conditions, { maxLength: 2 }),
  when: fc.array(condition, { maxLength: 2 }),
});
const policy = fc.record({
  action: fc.constantFrom("DENY" as const, "ALLOW" as const, "AUDIT" as const),
  dryRun: fc.boolean(),
  alwaysDeny: fc.constant(false),
  rules: fc.array(rule, { maxLength: 3 }),
});
const ordered = fc
  .array(policy, { maxLength: 4 })
  .map((list) => list.toSorted((a, b) => (a.action === "DENY" ? 0 : 1) - (b.action === "DENY" ? 0 : 1)));

const segment = fc.constantFrom("a", "b", "%61", "%2f", "%5c", "\\", ".", "..", "", "A", "%zz", "a b", "é", "%2E", "#");
const path = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.constantFrom("", "?", "?q=/../b", "/"))
  .map(([segments, end]) => `/${segments.join("/")}${end}`);
const call = fc.record({
  who: fc.constantFrom("alice@shop", "bob@ops", ""),
  sourceAddress: fc.constantFrom("10.0.0.1", "10.0.0.2", "192.0.2.1", "fd00::1", "fd00:0:0:1::2", "::1"),
  host: fc.constantFrom("web.shop", "WEB.shop", "web", "x.SHOP", "shop"),
  method: fc.constantFrom("GET", "POST", "PUT", "get"),
  path,
  headers: fc.array(fc.constantFrom("x", "y1", "z", "", "xz"), { maxLength: 2 }),
});

type Random<A> = A extends fc.Arbitrary<infer T> ? T : never;
type RandomCall = Random<typeof call>;
type RandomPolicies = Random<typeof ordered>;

function byTrace(policies: RandomPolicies, { who, headers, ...rest }: RandomCall): string {
  const [name = "", namespace = ""] = who.split("@");
  const asked: AuthzCall = {
    ...rest,
    protocol: "http",
    principal: who === "" ? "" : `cluster.local/ns/${namespace}/sa/${name}`,
    namespace,
    serviceAccount: who === "" ? "" : `${namespace}/${name}`,
    destinationAddress: "",
    port: 8080,
    sni: "",
    headers: headers.map((value) => ["x-env", value]),
    claims: undefined,
  };
  const meta = {
    ...{ group: "security.istio.io", version: "v1", kind: "AuthorizationPolicy", namespace: "shop", name: "p" },
    ...{ labels: {}, annotations: {}, creationTimestamp: "", origin: { file: "" } },
  };
  const full = policies.map((each): AuthorizationPolicy => ({ ...each, meta, targets: [] }));
  return evaluate(full, asked).verdict;
}

function byFilter(wasm: WasmHost, { who, headers, host, method, path: asked, sourceAddress }: RandomCall): string {
  const [name = "", namespace = ""] = who.split("@");
  const stream = wasm.request({
    headers: [
      [":method", method],
      [":path", asked],
      [":authority", host],
      ...headers.map((value) => ["x-env", value] as const),
    ],
    properties: {
      "xds/cluster_name": "guarded",
      "filter_state/ambit.source": who === "" ? "" : peer(name, namespace),
      "filter_state/ambit.peer_ip": sourceAddress,
    },
  });
  wasm.end(stream);
  const status = stream.answer?.status;
  return status === undefined ? "allowed" : status === 400 ? "malformed" : "denied";
}

it("decides as it explains", () => {
  const calls = fc.array(call, { minLength: 20, maxLength: 20 });
  const property = fc.property(ordered, calls, (policies, asked) => {
    const wasm = new WasmHost(CHAIN);
    const named = policies.map((each, index): FilterPolicy => ({ ...each, name: `shop/${index}` }));
    const policySets = [{ id: "set", policies: named, jwtRules: [] }];
    const clusters = [{ name: "guarded", policySet: "set", port: 8080 }];
    expect(wasm.configure("outbound", { ...EMPTY, policySets, clusters })).toBe(true);
    for (const each of asked) {
      const [decision, explanation] = [byFilter(wasm, each), byTrace(policies, each)];
      expect({ call: each, verdict: decision }).toEqual({ call: each, verdict: explanation });
    }
  });
  fc.assert(property, { numRuns: 150 });
});
