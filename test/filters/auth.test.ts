import { describe, expect, it } from "vitest";
import type { FilterPolicy } from "../../agent/compile/filters/filter-config.ts";
import type { PolicyCondition } from "../../agent/model/authorization-policy.ts";
import { WasmHost } from "../host/wasm-host.ts";
import type { Stream } from "../host/stream.ts";
import { CHAIN, EMPTY, operation, peer, source } from "./chain.ts";

interface Call {
  readonly path?: string;
  readonly method?: string;
  readonly host?: string;
  readonly from?: string;
  readonly address?: string;
  readonly grpc?: boolean;
}

type Alternatives = readonly (readonly PolicyCondition[])[];

function policy(action: "ALLOW" | "DENY", from: Alternatives, to: Alternatives): FilterPolicy {
  const name = `shop/${action.toLowerCase()}`;
  return { name, action, dryRun: false, alwaysDeny: false, rules: [{ from, to, when: [] }] };
}

const allow = (from: Alternatives, to: Alternatives = []): FilterPolicy => policy("ALLOW", from, to);
const deny = (from: Alternatives, to: Alternatives = []): FilterPolicy => policy("DENY", from, to);

/** One call through the outbound filter to a cluster that `policies` guard; port 8080. */
function call(
  policies: readonly FilterPolicy[],
  { path = "/", method = "GET", host = "web", grpc = false, ...by }: Call,
): Stream {
  const wasm = new WasmHost(CHAIN);
  const clusters = [{ name: "guarded", policySet: "set", port: 8080 }];
  expect(wasm.configure("outbound", { ...EMPTY, policySets: [{ id: "set", policies, jwtRules: [] }], clusters })).toBe(
    true,
  );
  return wasm.request({
    headers: {
      ":path": path,
      ":method": method,
      ":authority": host,
      ...(grpc ? { "content-type": "application/grpc" } : {}),
    },
    properties: {
      "xds/cluster_name": "guarded",
      "filter_state/ambit.source": by.from ?? peer("alice"),
      "filter_state/ambit.peer_ip": by.address ?? "10.0.0.1",
    },
  });
}

const ALICE = "cluster.local/ns/shop/sa/alice";

describe("a policy decides", () => {
  const cases: readonly (readonly [
    name: string,
    policies: readonly FilterPolicy[],
    call: Call,
    status: number | undefined,
  ])[] = [
    ["ALLOW by principal", [allow([source({ principals: [ALICE] })])], {}, undefined],
    ["ALLOW by another principal", [allow([source({ principals: [ALICE] })])], { from: peer("bob") }, 403],
    ["ALLOW by principal prefix", [allow([source({ principals: ["cluster.local/ns/shop/*"] })])], {}, undefined],
    ["ALLOW by principal suffix", [allow([source({ principals: ["*/sa/alice"] })])], {}, undefined],
    ["ALLOW by any principal, from nobody known", [allow([source({ principals: ["*"] })])], { from: "" }, 403],
    ["ALLOW by namespace", [allow([source({ namespaces: ["shop"] })])], {}, undefined],
    ["ALLOW by namespace, from nobody known", [allow([source({ namespaces: ["shop"] })])], { from: "" }, 403],
    ["DENY all but a namespace, from nobody known", [deny([source({ notNamespaces: ["shop"] })])], { from: "" }, 403],
    ["DENY all but a principal", [deny([source({ notPrincipals: [ALICE] })])], {}, undefined],
    ["DENY all but a principal, another", [deny([source({ notPrincipals: [ALICE] })])], { from: peer("bob") }, 403],
    ["ALLOW by address", [allow([source({ ipBlocks: ["10.0.0.1"] })])], {}, undefined],
    ["ALLOW by block", [allow([source({ ipBlocks: ["10.0.0.0/30"] })])], { address: "10.0.0.3" }, undefined],
    ["ALLOW by block, beside it", [allow([source({ ipBlocks: ["10.0.0.0/30"] })])], { address: "10.0.0.4" }, 403],
    ["ALLOW by block of everything", [allow([source({ ipBlocks: ["0.0.0.0/0"] })])], {}, undefined],
    ["ALLOW by IPv6 block", [allow([source({ ipBlocks: ["fd00:1::/32"] })])], { address: "fd00:1:2::9" }, undefined],
    ["ALLOW by IPv6 block, beside it", [allow([source({ ipBlocks: ["fd00:1::/32"] })])], { address: "fd00:2::9" }, 403],
    ["DENY all but a block", [deny([source({ notIpBlocks: ["10.0.0.0/8"] })])], { address: "192.0.2.1" }, 403],
    [
      "both parts of a source must hold",
      [allow([source({ principals: [ALICE], ipBlocks: ["192.0.2.0/24"] })])],
      {},
      403,
    ],
    [
      "one of two sources is enough",
      [allow([source({ principals: ["x"] }), source({ principals: [ALICE] })])],
      {},
      undefined,
    ],
    ["ALLOW by method", [allow([], [operation({ methods: ["GET"] })])], {}, undefined],
    ["ALLOW by another method", [allow([], [operation({ methods: ["GET"] })])], { method: "POST" }, 403],
    ["DENY by notMethods", [deny([], [operation({ notMethods: ["GET"] })])], { method: "POST" }, 403],
    ["ALLOW by port", [allow([], [operation({ ports: ["8080"] })])], {}, undefined],
    ["ALLOW by another port", [allow([], [operation({ ports: ["80"] })])], {}, 403],
    ["ALLOW by host suffix", [allow([], [operation({ hosts: ["*.shop"] })])], { host: "web.shop" }, undefined],
    ["ALLOW by path prefix", [allow([], [operation({ paths: ["/items*"] })])], { path: "/items/1?x=/no" }, undefined],
    ["ALLOW by exact path", [allow([], [operation({ paths: ["/items"] })])], { path: "/items/1" }, 403],
    [
      "the query is no part of the path",
      [allow([], [operation({ paths: ["/items"] })])],
      { path: "/items?q" },
      undefined,
    ],
    [
      "DENY before ALLOW",
      [allow([source({ principals: [ALICE] })]), deny([], [operation({ methods: ["GET"] })])],
      {},
      403,
    ],
    ["a DENY that does not match leaves it", [deny([], [operation({ methods: ["POST"] })])], {}, undefined],
    ["ALLOW without rules allows nothing", [{ ...allow([]), rules: [] }], {}, 403],
    ["DENY without rules denies nothing", [{ ...deny([]), rules: [] }], {}, undefined],
    ["what could not be understood denies", [{ ...allow([]), alwaysDeny: true }], {}, 403],
    [
      "one of two ALLOW policies is enough",
      [allow([source({ principals: ["x"] })]), allow([source({})])],
      {},
      undefined,
    ],
  ];
  for (const [name, policies, by, status] of cases) {
    it(`${name}: ${status ?? "passes"}`, () => expect(call(policies, by).answer?.status).toBe(status));
  }

  it("names the policy, without spaces, and answers gRPC as gRPC", () => {
    expect(call([deny([])], { grpc: true }).answer).toEqual({
      status: 403,
      details: "ambit_denied:shop/deny",
      body: "RBAC: access denied",
      grpcStatus: 7,
    });
    expect(call([{ ...allow([]), rules: [] }], {}).answer?.details).toBe("ambit_denied:no_allow_policy_matched");
  });
});

describe("a path cannot be spelled around a policy", () => {
  const guard = [deny([], [operation({ paths: ["/admin", "/admin/*"] })])];
  const denied = [
    "/admin",
    "//admin",
    "/./admin",
    "/x/../admin",
    "/%61dmin",
    "/%41dmin/../admin",
    "/\\admin",
    "/x%5c..%5cadmin",
  ];
  for (const path of [
    ...denied,
    "/admin/",
    "/admin?x",
    "/x//../admin",
    "/%2e/admin",
    "/x/%2E%2e/admin",
    "/../../admin",
  ]) {
    it(`${path} is denied`, () => expect(call(guard, { path }).answer?.status).toBe(403));
  }
  for (const path of ["/%zz", "/%", "/%0", "/%00", "/a b", "/a#b", "admin", ""]) {
    it(`${JSON.stringify(path)} is malformed`, () => expect(call(guard, { path }).answer?.status).toBe(400));
  }
  const passed = {
    "/a/./b": "/a/b",
    "/a%2fb": "/a%2Fb",
    "/%7euser?q=%7e": "/~user?q=%7e",
    "/café?é": "/caf%C3%A9?é",
    "/😀": "/%F0%9F%98%80",
    "/ok/?a//b": "/ok/?a//b",
    "/": "/",
  };
  for (const [path, received] of Object.entries(passed)) {
    it(`${path} reaches the application as ${received}, as it was judged`, () => {
      const stream = call(guard, { path });
      expect(stream.answer).toBeUndefined();
      expect(stream.header(":path")).toBe(received);
    });
  }

  it("is left as it is where no policy guards", () => {
    const wasm = new WasmHost(CHAIN);
    wasm.configure("outbound", EMPTY);
    const stream = wasm.request({ headers: { ":path": "/a/../b//c", ":method": "GET" }, properties: {} });
    expect(stream.header(":path")).toBe("/a/../b//c");
  });
});

describe("inbound", () => {
  const config = {
    ...EMPTY,
    policySets: [
      {
        id: "set",
        policies: [allow([source({ principals: [ALICE] })], [operation({ ports: ["8080"] })])],
        jwtRules: [],
      },
    ],
    pods: [{ uid: "uid-web", policySet: "set" }],
    peers: [{ address: "10.0.0.1", peer: peer("alice") }],
  };
  const ask = (caller: string, sent: Readonly<Record<string, string>> = {}): number | undefined => {
    const wasm = new WasmHost(CHAIN);
    wasm.configure("inbound", config);
    return wasm.request({
      headers: {
        ":path": "/",
        ":method": "GET",
        ":authority": "web",
        "x-ambit-source": caller,
        "x-ambit-destination": peer("web"),
      },
      properties: {
        "filter_state/ambit.local_port": "8080",
        ...sent,
      },
    }).answer?.status;
  };
  it("knows a caller by its certificate, whatever its address is", () => {
    expect(ask(`spiffe://${ALICE}|10.0.0.1`)).toBeUndefined();
    expect(ask(`spiffe://${ALICE}|10.0.0.99`)).toBeUndefined();
    expect(ask(`spiffe://${ALICE}x|10.0.0.1`)).toBe(403);
  });
  it("takes an address for nobody's identity", () =>
    expect(ask("-", { "filter_state/ambit.peer_ip": "10.0.0.1" })).toBe(403));
  it("knows a caller of this node by its listener", () => {
    expect(ask(peer("alice"))).toBeUndefined();
    expect(ask(peer("bob"), { "filter_state/ambit.peer_ip": "10.0.0.1" })).toBe(403);
  });
  it("denies where facts are missing", () => expect(ask("")).toBe(403));
});

describe("what the configuration does not know is not let through", () => {
  const config = {
    ...EMPTY,
    policySets: [{ id: "set", policies: [allow([])], jwtRules: [] }],
    pods: [{ uid: "uid-web", policySet: "set" }],
    unguarded: ["uid-open"],
  };
  const ask = (told: unknown, destination: string): Stream["answer"] => {
    const wasm = new WasmHost(CHAIN);
    expect(wasm.configure("inbound", told)).toBe(true);
    const headers = { ":path": "/", ":method": "GET", "x-ambit-source": peer("alice") };
    return wasm.request({ headers: { ...headers, "x-ambit-destination": destination } }).answer;
  };
  const connect = (told: unknown, destination: string): boolean => {
    const wasm = new WasmHost(CHAIN);
    expect(wasm.configure("guard", told)).toBe(true);
    return wasm.connection({ properties: { "filter_state/ambit.destination": destination } }).isClosed;
  };
  const unknown = { status: 503, details: "ambit_unknown_destination" };

  it("lets through to the pods that it names", () => {
    for (const pod of ["web", "open"]) {
      expect(ask(config, peer(pod))).toBeUndefined();
      expect(connect(config, peer(pod))).toBe(false);
    }
  });
  for (const [name, destination] of Object.entries({ "a pod with another UID": peer("other"), "no pod": "" })) {
    it(`refuses calls and connections to ${name}`, () => {
      for (const told of [config, { ...config, policySets: [], pods: [] }, EMPTY]) {
        expect(ask(told, destination)).toMatchObject(unknown);
        expect(connect(told, destination)).toBe(true);
      }
    });
  }
  it("a policy set that is missing denies", () => {
    const missing = { ...config, pods: [{ uid: "uid-web", policySet: "other" }] };
    expect(ask(missing, peer("web"))).toMatchObject({ status: 403, details: "ambit_denied:missing_policy_set" });
    expect(connect(missing, peer("web"))).toBe(true);
  });
  it("a rule for tokens that is missing denies", () => {
    const missing = { ...config, policySets: [{ id: "set", policies: [], jwtRules: ["gone"] }] };
    expect(ask(missing, peer("web"))?.status).toBe(403);
  });
  const condition = { attribute: "source.namespace", path: [], values: ["none"], notValues: [] };
  const unread = {
    "an action": { ...deny([[condition] as never]), action: "FORBID" },
    "an attribute": deny([[{ ...condition, attribute: "source.moon" }] as never]),
    "an address": deny([[{ ...condition, attribute: "source.ip", values: ["10.0.0.0/999"] }] as never]),
  };
  for (const [name, written] of Object.entries(unread)) {
    it(`a policy with ${name} that is not known denies`, () => {
      const told = { ...config, policySets: [{ id: "set", policies: [written], jwtRules: [] }] };
      expect(ask(told, peer("web"))?.status).toBe(403);
      expect(connect(told, peer("web"))).toBe(true);
    });
  }
  it("closes connections at a place that it does not know", () => {
    const wasm = new WasmHost(CHAIN);
    wasm.configure("other", config);
    expect(wasm.connection({ properties: {} }).isClosed).toBe(true);
  });
});

describe("a configuration", () => {
  for (const text of ["", "nonsense", "[]", '{"a":'])
    it(`${JSON.stringify(text)} is rejected`, () =>
      expect(new WasmHost(CHAIN).configure("outbound", text)).toBe(false));
  it("for a root id that is not known is rejected", () =>
    expect(new WasmHost(CHAIN).configure("x", EMPTY)).toBe(false));
});
