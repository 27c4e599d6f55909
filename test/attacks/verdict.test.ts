import { afterAll, beforeAll, expect, it } from "vitest";
import { MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { describePrivileged } from "../support/privileges.ts";

// Policies judge what the application receives, wherever it is: a route that changes a request's headers changes what is judged.

type Header = { readonly name: string; readonly value: string };
interface Change {
  readonly set?: readonly Header[];
  readonly add?: readonly Header[];
  readonly remove?: readonly string[];
}

const tier = (value: string): Header => ({ name: "x-tier", value });
const modifier = (change: Change): readonly unknown[] => [
  { type: "RequestHeaderModifier", requestHeaderModifier: change },
];
const PLACES = ["near", "far"] as const;

function route(to: string): unknown {
  const rule = (path: string, ofRule: Change | undefined, ofBackend?: Change): unknown => ({
    matches: [{ path: { type: "PathPrefix", value: path } }],
    ...(ofRule === undefined ? {} : { filters: modifier(ofRule) }),
    backendRefs: [
      { name: to, port: 80, weight: 1, ...(ofBackend === undefined ? {} : { filters: modifier(ofBackend) }) },
    ],
  });
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: to, namespace: "shop" },
    spec: {
      parentRefs: [{ group: "", kind: "Service", name: to }],
      rules: [
        rule("/set", { set: [tier("gold")] }),
        rule("/backend", undefined, { set: [tier("gold")] }),
        rule("/both", { set: [tier("gold")] }, { set: [tier("tin")] }),
        rule("/add", { add: [tier("more")] }),
        rule("/remove", { remove: ["x-tier"] }),
        rule("/debug", { set: [tier("gold"), { name: "x-debug", value: "1" }] }),
        rule("/quiet", { set: [tier("gold")], remove: ["x-debug"] }),
        rule("/", undefined),
      ],
    },
  };
}

function policy(to: string, name: string, action: string, when: unknown, paths: readonly string[] = ["/*"]): unknown {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: `${to}-${name}`, namespace: "shop" },
    spec: {
      selector: { matchLabels: { app: to } },
      action,
      rules: [{ to: [{ operation: { paths } }], when: [when] }],
    },
  };
}

/** The path, the headers that the caller sends, and the answer. */
const CALLS: readonly (readonly [path: string, headers: readonly string[], status: number])[] = [
  ["/plain", [], 403],
  ["/plain", ["x-tier: gold"], 200],
  ["/plain", ["x-tier: gold", "x-debug: 1"], 403],
  ["/x/../plain", ["x-tier: gold"], 200],
  ["/x/../secret", ["x-tier: gold"], 403],
  ["/set", [], 200],
  ["/set", ["x-tier: tin"], 200],
  ["/set", ["x-debug: 1"], 403],
  ["/backend", [], 200],
  ["/both", ["x-tier: tin"], 200],
  ["/add", ["x-tier: gold"], 403],
  ["/add", [], 403],
  ["/remove", ["x-tier: gold"], 403],
  ["/debug", [], 403],
  ["/quiet", ["x-debug: 1"], 200],
  ["/plain", ["x-tier: gold", "x-forwarded-proto: https"], 403],
  ["/plain", ["x-tier: gold", "x-envoy-max-retries: 3"], 200],
];

describePrivileged("a policy's verdict does not depend on the pod's node", () => {
  const lab = new MeshLab("vdt");

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      pod("shop", "alice", "node-1"),
      ...PLACES.flatMap((to) => [
        pod("shop", to, to === "near" ? "node-1" : "node-2", { server: true }),
        service("shop", to, { app: to }),
        route(to),
        policy(to, "gold", "ALLOW", { key: "request.headers[x-tier]", values: ["gold"] }),
        policy(to, "debug", "DENY", { key: "request.headers[x-debug]", values: ["*"] }),
        policy(to, "proto", "DENY", { key: "request.headers[x-forwarded-proto]", values: ["https"] }),
        policy(to, "certificate", "ALLOW", { key: "request.headers[x-forwarded-client-cert]", values: ["*"] }, [
          "/cert",
        ]),
        policy(to, "secret", "DENY", { key: "request.headers[x-tier]", values: ["*"] }, ["/secret"]),
      ]),
    ]);
    await lab.up();
    await lab.until("both destinations answer", async () => {
      const answers = await Promise.all(
        PLACES.map((to) => lab.call("shop/alice", `http://${to}/plain`, "x-tier: gold")),
      );
      return answers.every(({ status }) => status === 200);
    });
  });
  afterAll(() => lab.down());

  it.each(PLACES)("%s", async (to) => {
    const found = await Promise.all(
      CALLS.map(async ([path, headers]) => {
        const { status } = await lab.call("shop/alice", `http://${to}${path}`, ...headers);
        return [path, headers, status];
      }),
    );
    expect(found).toEqual(CALLS);
  });

  it("but on the caller's certificate, which comes with calls from other nodes", async () => {
    const ask = async (to: string): Promise<readonly unknown[]> => {
      const { status, body } = await lab.call("shop/alice", `http://${to}/cert`, "x-forwarded-client-cert: forged");
      return [status, body.toLowerCase().includes("x-forwarded-client-cert"), body.includes("forged")];
    };
    expect(await ask("far")).toEqual([200, true, false]);
    expect(await ask("near")).toEqual([403, false, false]);
  });
});
