import { describe, expect, it } from "vitest";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import { toldTo } from "../../agent/compile/filters/filter-extensions.ts";
import { newSession } from "../../agent/compile/session.ts";
import { FILTERS } from "../../agent/compile/view/names.ts";
import type { FilterCheck } from "../../agent/compile/view/options.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { describeObject } from "../../agent/model/object-ref.ts";
import { openFilterCheck } from "../../agent/node/filter-check.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";
import { CHAIN } from "../filters/chain.ts";
import { goldenOptions } from "../golden/golden-options.ts";
import { WasmHost } from "../host/wasm-host.ts";

// The filters take a configuration whole or not at all. So each part is checked before it is told, and what they would refuse
// costs its own object alone.

const KEYS =
  '{"keys":[{"kty":"EC","x":"SDNrAeKspE5uMUIOZclpremLhLr5kUn_U4ajiSVB6oc","y":"GF5VrTaZm8GwTZa7HFcPP2IBT7qJYFv0KtnUtu59xYw","crv":"P-256","kid":"KID","alg":"ES256"}]}';

const namespace = (name: string) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { "ambit.dev/dataplane-mode": "ambient" } },
});

function pod(ns: string, name: string, podIP: string, more: Readonly<Record<string, string>> = {}) {
  const annotations = { "ambit.dev/netns": `/run/netns/${ns}-${name}` };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: ns, uid: more["uid"] ?? `${ns}-${name}`, labels: { ...more, app: name }, annotations },
    spec: { nodeName: "node-1", containers: [{ name: "app", image: "none" }] },
    status: { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions: [{ type: "Ready", status: "True" }] },
  };
}

const service = (ns: string, name: string, clusterIP: string, app: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: ns },
  spec: { clusterIP, selector: { app }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
});

function policy(
  ns: string,
  name: string,
  app: string,
  path: string,
  annotations: Readonly<Record<string, string>> = {},
) {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: ns, annotations },
    spec: {
      selector: { matchLabels: { app } },
      action: "DENY",
      rules: [{ to: [{ operation: { paths: [path] } }] }],
    },
  };
}

const tokens = (ns: string, name: string, app: string, issuer: string, kid: string) => ({
  apiVersion: "security.istio.io/v1",
  kind: "RequestAuthentication",
  metadata: { name, namespace: ns },
  spec: { selector: { matchLabels: { app } }, jwtRules: [{ issuer, jwks: KEYS.replace("KID", kid) }] },
});

const retries = (ns: string, name: string, ...services: readonly string[]) => ({
  apiVersion: "gateway.networking.x-k8s.io/v1alpha1",
  kind: "XBackendTrafficPolicy",
  metadata: { name, namespace: ns },
  spec: {
    targetRefs: services.map((each) => ({ group: "", kind: "Service", name: each })),
    retryConstraint: { budget: { percent: 30, interval: "10s" } },
  },
});

/** Every kind of part, in two namespaces. */
const OBJECTS: readonly unknown[] = [
  namespace("a"),
  pod("a", "one", "10.244.0.1"),
  pod("a", "two", "10.244.0.2"),
  pod("a", "free", "10.244.0.3"),
  service("a", "one", "10.96.0.1", "one"),
  service("a", "two", "10.96.0.2", "two"),
  policy("a", "one", "one", "/one"),
  policy("a", "two", "two", "/two"),
  tokens("a", "tokens", "two", "https://issuer.a", "key-a"),
  retries("a", "retries", "one", "two"),
  namespace("b"),
  pod("b", "web", "10.244.0.9"),
  service("b", "web", "10.96.0.9", "web"),
  policy("b", "web", "web", "/secret"),
  tokens("b", "tokens", "web", "https://issuer.b", "key-b"),
  retries("b", "retries", "web"),
];

function meshOf(objects: readonly unknown[]): Mesh {
  const text = objects.map((object) => JSON.stringify(object)).join("\n---\n");
  return objectsToMesh(parseManifest("x.yaml", 0, text).objects);
}

function configOf(mesh: Mesh, checkFilters: FilterCheck | undefined, session = newSession(0)): NodeConfig {
  return compile(mesh, { ...goldenOptions(mesh), ...(checkFilters && { checkFilters }) }, session);
}

/** What a reader finds that has a fault. */
const refusing =
  (text: string): FilterCheck =>
  (configuration) =>
    configuration.includes(text) ? `it has ${text}` : undefined;

const problemsOf = ({ problems }: NodeConfig): readonly string[] =>
  problems.flatMap(({ code, subject, reason }) =>
    code === "refused-by-filters" ? [`${describeObject(subject)}${reason.slice(reason.lastIndexOf(":"))}`] : [],
  );

/** Each list of the filters' configuration, by what its parts are known by. */
function partsOf({ filters }: NodeConfig): ReadonlyMap<string, string> {
  const { policySets, tcpPolicySets, jwtRules, clusters, pods, unguarded, peers, retryBudgets } = filters;
  const of = <T>(what: string, list: readonly T[], key: (part: T) => string) =>
    list.map((part) => [`${what} ${key(part)}`, JSON.stringify(part)] as const);
  return new Map([
    ...of("set", policySets, ({ id }) => id),
    ...of("tcp set", tcpPolicySets, ({ id }) => id),
    ...of("rule", jwtRules, ({ issuer }) => issuer),
    ...of("cluster", clusters, ({ name }) => name),
    ...of("pod", pods, ({ uid }) => uid),
    ...of("unguarded", unguarded, (uid) => uid),
    ...of("peer", peers, ({ address }) => address),
    ...of("budget", retryBudgets, (budget) => budget.service),
  ]);
}

/** The parts that differ, and Envoy's resources. */
function differences(before: NodeConfig, after: NodeConfig): readonly string[] {
  const [was, is] = [partsOf(before), partsOf(after)];
  const resources = (["listeners", "clusters", "onDemandClusters", "endpoints", "routes"] as const).flatMap((kind) =>
    [...before.xds[kind]].flatMap(([name, message]) => {
      const now = after.xds[kind].get(name);
      return JSON.stringify(message, bytes) === JSON.stringify(now, bytes) ? [] : [`${kind} ${name}`];
    }),
  );
  const names = [...new Set([...was.keys(), ...is.keys()])];
  return [...names.filter((name) => was.get(name) !== is.get(name)), ...resources].sort();
}

const bytes = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);

/** All places of the module take what they are told. */
function hostTold({ filters }: NodeConfig): WasmHost {
  const wasm = new WasmHost(CHAIN);
  for (const place of ["outbound", "outboundRouted", "guard", "inbound"] as const) {
    const taken = wasm.configure(FILTERS[place].rootId, toldTo(place, filters));
    expect({ place, taken, log: taken ? "" : wasm.logs.at(-1) }).toEqual({ place, taken: true, log: "" });
  }
  return wasm;
}

/** What a caller without a token is answered by a pod. */
function answer(config: NodeConfig, uid: string, path: string): number {
  const destination = `${uid}||a||||||`;
  const headers = { ":path": path, ":method": "GET", "x-ambit-source": "-", "x-ambit-destination": destination };
  return hostTold(config).request({ headers }).answer?.status ?? 200;
}

interface Case {
  readonly what: string;
  readonly fault: string;
  /** Objects beside `OBJECTS`, the ones that have what is refused. */
  readonly objects: readonly unknown[];
  readonly changed: readonly string[];
  readonly problems: readonly string[];
  readonly answers?: readonly (readonly [uid: string, path: string, status: number])[];
}

const DENIES = "the pods that it selects refuse every call";

const CASES: readonly Case[] = [
  {
    what: "a policy denies what it selects, and the other policies of the pods stay",
    fault: "/poison",
    objects: [policy("a", "bad", "one", "/poison")],
    changed: ["set a/bad,a/one", "tcp set a/bad,a/one"],
    problems: [`AuthorizationPolicy a/bad: ${DENIES}`],
    answers: [
      ["a-one", "/", 403],
      ["a-two", "/", 200],
      ["a-two", "/two", 403],
      ["b-web", "/", 200],
      ["b-web", "/secret", 403],
    ],
  },
  {
    what: "a policy that only reports does not report",
    fault: "/poison",
    objects: [policy("a", "dry", "free", "/poison", { "istio.io/dry-run": "true" })],
    changed: ["set a/dry", "tcp set a/dry", "pod a-free", "unguarded a-free"],
    problems: ["AuthorizationPolicy a/dry: the access log shows nothing of it"],
    answers: [["a-free", "/", 200]],
  },
  {
    what: "a policy with a name denies what it selects",
    fault: "poison",
    objects: [policy("a", "poison", "one", "/x")],
    changed: [
      "set a/one,a/poison",
      "tcp set a/one,a/poison",
      "pod a-one",
      "set a/refused-by-filters,a/one",
      "tcp set a/refused-by-filters,a/one",
      "cluster outbound|80||one.a.svc.cluster.local",
      "cluster 10.96.0.1:80",
    ],
    problems: [`AuthorizationPolicy a/poison: ${DENIES}`],
    answers: [["a-one", "/", 403]],
  },
  {
    what: "the keys of a rule for tokens: its tokens are rejected",
    fault: "poison",
    objects: [tokens("a", "bad", "one", "https://issuer.bad", "poison")],
    changed: ["rule https://issuer.bad", "set a/one,jwt:a/bad"],
    problems: ["RequestAuthentication a/bad: the tokens of one of its rules are rejected"],
    answers: [["a-one", "/", 200]],
  },
  {
    what: "the issuer of a rule for tokens: its pods deny",
    fault: "poison",
    objects: [tokens("a", "bad", "one", "https://poison", "key")],
    changed: [
      "set a/one,jwt:a/bad",
      "tcp set a/one,jwt:a/bad",
      "rule https://poison",
      // No filter takes a token away any more, so that the caller's filters may decide.
      "cluster outbound|80||one.a.svc.cluster.local",
      "cluster 10.96.0.1:80",
      "endpoints outbound|80||one.a.svc.cluster.local",
    ],
    problems: [`RequestAuthentication a/bad: ${DENIES}`],
    answers: [["a-one", "/", 403]],
  },
  {
    what: "a retry budget: the Service has none",
    fault: "poison",
    objects: [service("a", "poison", "10.96.0.3", "free"), retries("a", "more", "poison")],
    changed: ["budget a/poison"],
    problems: [
      "XBackendTrafficPolicy a/more: some of its Services have the retry budget that Services have without a policy",
    ],
  },
  {
    what: "a destination: its pods' own filters decide",
    fault: "poison",
    objects: [service("a", "poison", "10.96.0.3", "one")],
    changed: [
      "cluster outbound|80||poison.a.svc.cluster.local",
      "cluster 10.96.0.3:80",
      "endpoints outbound|80||poison.a.svc.cluster.local",
    ],
    problems: ["Service a/poison: calls to it are decided by the filters of its pods alone"],
  },
  {
    what: "a label: the pod is known by less",
    fault: "poison",
    objects: [pod("a", "odd", "10.244.0.4", { version: "poison" })],
    changed: ["peer 10.244.0.4"],
    problems: ["Pod a/odd: calls of the pod from other nodes are counted by namespace and principal alone"],
    answers: [["a-odd", "/", 200]],
  },
  {
    what: "a pod's UID: it gets no calls",
    fault: "poison",
    objects: [pod("a", "odd", "10.244.0.4", { uid: "poison" })],
    changed: ["unguarded poison", "peer 10.244.0.4"],
    problems: [
      "Pod a/odd: the pod gets no calls",
      "Pod a/odd: calls of the pod from other nodes are counted by namespace and principal alone",
    ],
    answers: [["poison", "/", 503]],
  },
];

describe("what the filters refuse", () => {
  for (const { what, fault, objects, changed, problems, answers = [] } of CASES) {
    it(`of ${what}, and everything else is told as before`, () => {
      const mesh = meshOf([...OBJECTS, ...objects]);
      const before = configOf(mesh, undefined);
      const after = configOf(mesh, refusing(fault));
      expect(problemsOf(before)).toEqual([]);
      expect(problemsOf(after).toSorted()).toEqual(problems.toSorted());
      expect(differences(before, after)).toEqual(changed.toSorted());
      for (const [uid, path, status] of answers)
        expect({ uid, path, status: answer(after, uid, path) }).toEqual({ uid, path, status });
    });
  }
});

describe("the filters' own module", () => {
  const check = openFilterCheck();

  it("takes everything that the agent tells the filters", () => {
    const mesh = meshOf(OBJECTS);
    const config = configOf(mesh, check);
    expect(problemsOf(config)).toEqual([]);
    expect(differences(configOf(mesh, undefined), config)).toEqual([]);
  });

  it("names what it does not take, and takes the rest", () => {
    // As no reader of objects makes them.
    const broken = brokenMesh();
    const wasm = new WasmHost(CHAIN);
    const unchecked = configOf(broken, undefined);
    expect(wasm.configure(FILTERS.inbound.rootId, toldTo("inbound", unchecked.filters))).toBe(false);
    const config = configOf(broken, check);
    expect(config.problems.filter(({ code }) => code === "refused-by-filters").map(({ reason }) => reason)).toEqual([
      expect.stringContaining(`policies[0].rules[0].to[0][0].values[0]: a text is expected (byte `),
      expect.stringContaining("jwtRules[0].keys[0].spki: a text is expected"),
      expect.stringContaining("retryBudgets[0].percent: a whole number from 0 to 4294967295 is expected"),
    ]);
    expect(answer(config, "a-one", "/")).toBe(403);
    expect(answer(config, "a-two", "/")).toBe(200);
    expect(answer(config, "b-web", "/secret")).toBe(403);
    const changed = differences(configOf(meshOf(OBJECTS), undefined), config);
    expect(changed.filter((name) => !/\ba\/|issuer\.a/u.test(name))).toEqual([]);
  });

  it("is asked again about what has changed, and nothing else", () => {
    const asked: string[] = [];
    const counting: FilterCheck = (configuration) => {
      asked.push(configuration);
      return check(configuration);
    };
    const session = newSession(0);
    configOf(meshOf(OBJECTS), counting, session);
    const all = asked.splice(0).length;
    configOf(meshOf(OBJECTS), counting, session);
    expect(asked).toEqual([]);
    const bad = policy("a", "one", "one", "/other");
    configOf(meshOf(OBJECTS.map((object) => (same(object, bad) ? bad : object))), counting, session);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain("/other");
    expect(all).toBeGreaterThan(10);
  });
});

const same = (a: unknown, b: ReturnType<typeof policy>): boolean => {
  const { kind, metadata } = a as typeof b;
  return kind === b.kind && metadata.name === b.metadata.name && metadata.namespace === b.metadata.namespace;
};

function brokenMesh(): Mesh {
  const mesh = meshOf(OBJECTS);
  const isOf =
    (ns: string, name: string) => (object: { readonly meta: { readonly namespace: string; readonly name: string } }) =>
      object.meta.namespace === ns && object.meta.name === name;
  const put = (object: unknown, path: readonly (string | number)[], value: unknown): void => {
    let at = object as Record<string | number, unknown>;
    for (const key of path.slice(0, -1)) at = at[key] as typeof at;
    at[path.at(-1) ?? ""] = value;
  };
  put(mesh.authorizationPolicies.find(isOf("a", "one")), ["rules", 0, "to", 0, 0, "values", 0], undefined);
  put(mesh.requestAuthentications.find(isOf("a", "tokens")), ["rules", 0, "keys", "keys", 0, "spki"], 1);
  put(mesh.backendTrafficPolicies.find(isOf("a", "retries")), ["retryBudget", "percent"], 0.5);
  return mesh;
}

it("a module that traps refuses what it reads, and nothing after it", () => {
  // (module
  //   (memory (export "memory") 1)
  //   (global $broken (mut i32) (i32.const 0))
  //   (func (export "malloc") (param i32) (result i32) (i32.const 8))
  //   (func (export "check_configuration") (param i32 i32) (result i32)
  //     (if (global.get $broken) (then (return (i32.const 1))))
  //     (if (i32.eq (i32.load8_u (local.get 0)) (i32.const 116)) (then (global.set $broken (i32.const 1)) (unreachable)))
  //     (i32.const 0))
  //   (func (export "check_answer") (result i32) (i32.const 8)))
  const trapping =
    "AGFzbQEAAAABEANgAX8Bf2ACf38Bf2AAAX8DBAMAAQIFAwEAAQYGAX8BQQALBzgEBm1lbW9yeQIABm1hbGxvYwAAE2NoZWNrX2NvbmZpZ3VyYXRpb24AAQxjaGVja19hbnN3ZXIAAgopAwQAQQgLHQAjAARAQQEPCyAALQAAQfQARgRAQQEkAAALQQALBABBCAs=";
  const check = openFilterCheck(Buffer.from(trapping, "base64"));
  expect(["a", "traps", "b"].map(check)).toEqual([undefined, "they fail: unreachable", undefined]);
});
