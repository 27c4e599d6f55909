import { describe, expect, it } from "vitest";
import type { NodeConfig } from "../../agent/compile/compile.ts";
import { toldTo } from "../../agent/compile/filters/filter-extensions.ts";
import { mustGo } from "../../agent/compile/filters/must-go.ts";
import { PartCheck } from "../../agent/compile/filters/part-check.ts";
import { retryBudgets } from "../../agent/compile/filters/retry-budget.ts";
import { FILTERS } from "../../agent/compile/view/names.ts";
import type { BackendTrafficPolicy } from "../../agent/model/backend-traffic-policy.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";
import { CHAIN } from "../filters/chain.ts";
import { compiled } from "../golden/golden-options.ts";
import { WasmHost } from "../host/wasm-host.ts";

const MIB = 1 << 20;
/** What the filters take. */
const MAX_SIZE = 8 * MIB;

const PLACES = Object.keys(FILTERS) as (keyof typeof FILTERS)[];

let pods = 0;

function pod(namespace: string, name: string): readonly unknown[] {
  const address = 20 + pods++;
  const podIP = `10.244.${address >> 8}.${address & 255}`;
  return [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace,
        uid: `uid-${namespace}-${name}`,
        labels: { app: name },
        annotations: { "ambit.dev/netns": `/run/netns/${namespace}-${name}` },
      },
      spec: { nodeName: "node-1", containers: [{ name: "app", image: "none" }] },
      status: { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions: [{ type: "Ready", status: "True" }] },
    },
  ];
}

const enrolled = (name: string): unknown => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { "ambit.dev/dataplane-mode": "ambient" } },
});

function policy(namespace: string, name: string, paths: readonly string[], app?: string): unknown {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace },
    spec: {
      ...(app === undefined ? {} : { selector: { matchLabels: { app } } }),
      action: "DENY",
      rules: [{ to: [{ operation: { paths, ports: ["8080"] } }] }],
    },
  };
}

/** Nearly as many bytes of policy as a namespace may have. */
const PATHS = Array.from({ length: 900 }, (_, index) => `/${index}/${"x".repeat(1_000)}`);

/** Each pod has a policy of its own beside the large one, so that each has a set of its own. */
function tenant(namespace: string, count: number): readonly unknown[] {
  const names = Array.from({ length: count }, (_, index) => `p${index}`);
  return [
    enrolled(namespace),
    policy(namespace, "large", PATHS),
    ...names.flatMap((name) => [...pod(namespace, name), policy(namespace, name, ["/own"], name)]),
  ];
}

const victim = [enrolled("victim"), ...pod("victim", "web"), policy("victim", "web", ["/secret"])];

function configOf(...objects: readonly unknown[]): NodeConfig {
  const text = objects.map((object) => JSON.stringify(object)).join("\n---\n");
  const { objects: parsed, problems } = parseManifest("x.yaml", 0, text);
  expect(problems).toEqual([]);
  return compiled(objectsToMesh(parsed));
}

function expectTaken({ filters }: NodeConfig): void {
  const wasm = new WasmHost(CHAIN);
  for (const place of PLACES) {
    const told = JSON.stringify(toldTo(place, filters));
    expect(Buffer.byteLength(told)).toBeLessThan(MAX_SIZE);
    const taken = wasm.configure(FILTERS[place].rootId, told);
    expect({ place, taken, log: taken ? "" : wasm.logs.at(-1) }).toEqual({ place, taken: true, log: "" });
  }
}

const deniesAll = ({ filters }: NodeConfig): readonly string[] =>
  filters.policySets.filter(({ policies }) => policies.some(({ alwaysDeny }) => alwaysDeny)).map(({ id }) => id);

describe("the room for policies", () => {
  it("is enough for several namespaces that use their limit once", () => {
    const config = configOf(...victim, ...["a", "b", "c"].flatMap((name) => [...tenant(name, 1)]));
    expectTaken(config);
    expect(deniesAll(config)).toEqual([]);
    expect(config.problems.filter(({ code }) => code === "limit-reached")).toEqual([]);
  });

  it("is no one's to take from others: what has no room denies what it selects, and is named", () => {
    const config = configOf(...victim, ...tenant("a", 1), ...["b", "c", "d"].flatMap((name) => [...tenant(name, 12)]));
    expectTaken(config);
    const denied = deniesAll(config);
    expect(denied.length).toBeGreaterThan(30);
    // The namespaces with the most give way; the others keep their policies as they are written.
    expect(denied.filter((id) => !/^[bcd]\//u.test(id))).toEqual([]);
    expect(config.filters.policySets.find(({ id }) => id === "victim/web")?.policies[0]?.rules).toHaveLength(1);
    expect(config.filters.tcpPolicySets.filter(({ id }) => denied.includes(id))).toHaveLength(denied.length);
    const named = config.problems.filter(({ code }) => code === "limit-reached");
    expect(new Set(named.map(({ subject }) => subject?.namespace))).toEqual(new Set(["b", "c", "d"]));
    expect(named[0]?.reason).toMatch(/these pods refuse every call/u);
  });

  it("does not depend on the order of objects", () => {
    const [b, c] = [tenant("b", 4), tenant("c", 4)];
    const there = configOf(...victim, ...b, ...c);
    const back = configOf(...[...victim, ...b, ...c].toReversed());
    expect(deniesAll(there)).not.toEqual([]);
    // Some megabytes.
    expect(JSON.stringify(back.filters.policySets) === JSON.stringify(there.filters.policySets)).toBe(true);
  });

  it("is not filled by retry budgets", () => {
    const policyOf = (namespace: string, services: readonly string[]): BackendTrafficPolicy => ({
      meta: {
        group: "gateway.networking.x-k8s.io",
        version: "v1alpha1",
        kind: "XBackendTrafficPolicy",
        name: "retries",
        namespace,
        labels: {},
        annotations: {},
        creationTimestamp: "",
        origin: { file: "x.yaml", line: 1 },
      },
      services,
      retryBudget: { percent: 20, intervalMs: 10_000, minRetryRate: { count: 10, intervalMs: 1_000 } },
    });
    const many = Array.from({ length: 20_000 }, (_, index) => `s${index}`);
    const mesh = objectsToMesh([]);
    const backendTrafficPolicies = [policyOf("a", many), policyOf("victim", ["web"])];
    const { budgets, problems } = retryBudgets(
      { mesh: { ...mesh, backendTrafficPolicies } },
      new PartCheck(undefined, { verdicts: new Map() }),
    );
    expect(budgets.map(({ service }) => service)).toContain("victim/web");
    expect(JSON.stringify(budgets).length).toBeLessThan(MIB / 2);
    expect(problems.map(({ code, subject }) => `${code} ${subject?.namespace}`)).toEqual(["limit-reached a"]);
  });

  it("does not grow with names times destinations", () => {
    const long = "nnnnnnnnn.".repeat(24);
    const ports = Array.from({ length: 100 }, (_, index) => ({ name: `http-${index}`, port: 10_000 + index }));
    const services = Array.from({ length: 150 }, (_, index) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: `s${index}`, namespace: "a" },
      spec: { clusterIP: `10.97.0.${index + 1}`, selector: { app: "p0" }, ports },
    }));
    const policies = Array.from({ length: 200 }, (_, index) => policy("a", `${long}${index}`, ["/x"]));
    const web = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "victim" },
      spec: { clusterIP: "10.98.0.1", selector: { app: "web" }, ports: [{ name: "http", port: 80 }] },
    };
    const config = configOf(...victim, web, enrolled("a"), ...pod("a", "p0"), ...policies, ...services);
    expectTaken(config);
    expect(config.filters.pods.length).toBe(2);
    // The pods' own passes decide what callers have no room for.
    expect(config.filters.clusters.map(({ policySet }) => policySet)).toEqual(["victim/web", "victim/web"]);
  });
});

describe("what has to go", () => {
  const item = (namespace: string, id: string, size: number, ...shared: readonly string[]) => ({
    namespace,
    id,
    size,
    shared,
  });
  it("is the largest of the namespace that takes the most", () => {
    const all = [item("a", "1", 5), item("a", "2", 6), item("b", "3", 9), item("c", "4", 1)];
    expect(mustGo(all, new Map(), 21)).toEqual([]);
    expect(mustGo(all, new Map(), 20).map(({ id }) => id)).toEqual(["2"]);
    expect(mustGo(all, new Map(), 10).map(({ id }) => id)).toEqual(["2", "3"]);
  });

  it("counts once what several share, as long as one is left", () => {
    const all = [item("a", "1", 1, "x"), item("a", "2", 1, "x"), item("b", "3", 3)];
    const sizes = new Map([["x", 10]]);
    expect(mustGo(all, sizes, 15)).toEqual([]);
    expect(mustGo(all, sizes, 14).map(({ id }) => id)).toEqual(["1"]);
    expect(mustGo(all, sizes, 4).map(({ id }) => id)).toEqual(["1", "2"]);
  });
});
