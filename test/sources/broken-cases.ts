/** What the cases refer to. */
export const GOOD = `
apiVersion: v1
kind: Service
metadata: { name: good, namespace: shop }
spec: { clusterIP: 10.96.0.9, ports: [{ port: 80 }] }
`;

const service = (spec: string, name = "web"): string =>
  `{ apiVersion: v1, kind: Service, metadata: { name: ${name}, namespace: shop }, spec: ${spec} }`;
const pod = (metadata: string, spec = "{ containers: [] }", status = "{ podIPs: [{ ip: 10.0.0.1 }] }"): string =>
  `{ apiVersion: v1, kind: Pod, metadata: ${metadata}, spec: ${spec}, status: ${status} }`;
const route = (spec: string): string =>
  `{ apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: { name: r, namespace: shop }, spec: ${spec} }`;
const toGood = (rule: string): string =>
  route(`{ parentRefs: [{ group: "", kind: Service, name: good }], rules: [${rule}] }`);

/** What is wrong, a manifest, and the object and field that have to be named. */
export type Case = readonly [what: string, manifest: string, object: string, field: string];

export const CASES: readonly Case[] = [
  ["no YAML", "a: [", "", ""],
  ["a tab for an indent", "a:\n\t- b", "", ""],
  [
    "a key twice",
    "apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\nspec:\n  ports: []\n  ports: [{ port: 80 }]",
    "Service shop/web",
    "spec.ports",
  ],
  [
    "a mapping inside a mapping",
    "apiVersion: v1\nkind: Pod\nmetadata: { name: p, namespace: shop }\nspec:\n  nodeName: a: b",
    "Pod shop/p",
    "spec.nodeName",
  ],
  ["an alias of nothing", "{ kind: Pod, metadata: { name: p }, spec: *nowhere }", "Pod p", ""],
  [
    "aliases that multiply",
    `a0: &a0 [x, x]\n${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]\n`).join("")}`,
    "",
    "",
  ],
  ["lists in lists in lists", "[".repeat(5_000) + "]".repeat(5_000), "", ""],
  ["text that is no text", "a: \u0001\u0000b", "", ""],
  [
    "carriage returns and a key twice",
    "kind: Service\r\nmetadata:\r\n  name: web\r\n  name: web\r\n",
    "Service web",
    "metadata",
  ],
  ["no object", "just a text", "", ""],
  ["a kind that is misspelt", service("{}").replace("Service", "Servce"), "Servce shop/web", "kind"],
  [
    "a group that is misspelt",
    toGood("{}").replace("gateway.networking.k8s.io", "gateway.networking.k8s.oi"),
    "HTTPRoute shop/r",
    "apiVersion",
  ],
  ["a version that is none", service("{}").replace("v1", "v7"), "Service shop/web", "apiVersion"],
  ["a huge port", service("{ ports: [{ port: 1e400 }] }"), "Service shop/web", "spec.ports[0].port"],
  ["a port of a half", service("{ ports: [{ port: 80.5 }] }"), "Service shop/web", "spec.ports[0].port"],
  [
    "two ports of one number",
    service("{ ports: [{ name: a, port: 80 }, { name: b, port: 80 }] }"),
    "Service shop/web",
    "spec.ports[1]",
  ],
  ["a name that is taken", service("{ ports: [{ port: 81 }] }", "good"), "Service shop/good", "metadata.name"],
  [
    "keys of JavaScript's own",
    pod("{ name: p, namespace: shop, labels: { __proto__: x, constructor: y } }"),
    "Pod shop/p",
    "metadata.labels.__proto__",
  ],
  [
    "a namespace that is a number",
    service("{}").replace("namespace: shop", "namespace: 1"),
    "Service web",
    "metadata.namespace",
  ],
  ["metadata that is a list", "{ apiVersion: v1, kind: Service, metadata: [] }", "Service", "metadata.name"],
  [
    "a route that conflicts with another",
    ["x", "y"]
      .map((name) => toGood("{ backendRefs: [{ name: good, port: 80 }] }").replace("name: r,", `name: ${name},`))
      .join("\n---\n"),
    "HTTPRoute shop/y",
    "spec.rules[0]",
  ],
  ["no kind", "{ apiVersion: v1, metadata: { name: x } }", "", "kind"],
  ["no apiVersion", "{ kind: Service, metadata: { name: x } }", "", "apiVersion"],
  ["no name", "{ apiVersion: v1, kind: Service, spec: {} }", "", "metadata.name"],
  [
    "a name that is none",
    "{ apiVersion: v1, kind: Service, metadata: { name: A_b, namespace: shop }, spec: { ports: [{ port: 1 }] } }",
    "Service",
    "metadata.name",
  ],
  [
    "a kind that is not served",
    "{ apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: { name: v } }",
    "VirtualService",
    "kind",
  ],
  [
    "a port out of range",
    service("{ clusterIP: 10.96.0.1, ports: [{ port: 70000 }] }"),
    "Service shop/web",
    "spec.ports[0].port",
  ],
  [
    "a port that is no number",
    service("{ clusterIP: 10.96.0.1, ports: [{ port: http }] }"),
    "Service shop/web",
    "spec.ports[0].port",
  ],
  ["a list that is none", service("{ clusterIP: 10.96.0.1, ports: 80 }"), "Service shop/web", "spec.ports"],
  [
    "an unknown field",
    service("{ clusterIP: 10.96.0.1, prots: [], ports: [{ port: 80 }] }"),
    "Service shop/web",
    "spec.prots",
  ],
  [
    "an address that is none",
    service("{ clusterIP: 10.96.0.300, ports: [{ port: 80 }] }"),
    "Service shop/web",
    "spec.clusterIP",
  ],
  [
    "an address that is taken",
    service("{ clusterIP: 10.96.0.9, ports: [{ port: 80 }] }"),
    "Service shop/web",
    "spec.clusterIP",
  ],
  [
    "an overlong label",
    pod(`{ name: p, namespace: shop, labels: { app: ${"x".repeat(64)} } }`),
    "Pod shop/p",
    "metadata.labels",
  ],
  [
    "a label with a bar in it",
    pod('{ name: p, namespace: shop, labels: { app: "a|b" } }'),
    "Pod shop/p",
    "metadata.labels",
  ],
  [
    "a label that is no text",
    pod("{ name: p, namespace: shop, labels: { app: 1 } }"),
    "Pod shop/p",
    "metadata.labels.app",
  ],
  [
    "a pod address that is none",
    pod("{ name: p, namespace: shop }", "{ containers: [] }", "{ podIPs: [{ ip: x }] }"),
    "Pod shop/p",
    "status.podIPs[0].ip",
  ],
  [
    "a parent that is not there",
    route('{ parentRefs: [{ group: "", kind: Service, name: gone }], rules: [] }'),
    "HTTPRoute shop/r",
    "spec.parentRefs[0].name",
  ],
  ["a Gateway as parent", route("{ parentRefs: [{ name: gateway }] }"), "HTTPRoute shop/r", "spec.parentRefs[0]"],
  [
    "a parent in another namespace",
    route('{ parentRefs: [{ group: "", kind: Service, name: x, namespace: other }] }'),
    "HTTPRoute shop/r",
    "spec.parentRefs[0]",
  ],
  [
    "a backend that is not there",
    toGood("{ backendRefs: [{ name: gone, port: 80 }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].backendRefs[0].name",
  ],
  [
    "a backend without port",
    toGood("{ backendRefs: [{ name: good }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].backendRefs[0].port",
  ],
  [
    "a backend port that is not there",
    toGood("{ backendRefs: [{ name: good, port: 81 }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].backendRefs[0].port",
  ],
  [
    "a negative weight",
    toGood("{ backendRefs: [{ name: good, port: 80, weight: -1 }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].backendRefs[0].weight",
  ],
  [
    "look-around in a regular expression",
    toGood("{ matches: [{ path: { type: RegularExpression, value: '(?=x)' } }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].matches[0].path.value",
  ],
  [
    "an open bracket in a regular expression",
    toGood("{ matches: [{ path: { type: RegularExpression, value: '[' } }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].matches[0].path.value",
  ],
  [
    "a path without slash",
    toGood("{ matches: [{ path: { value: items } }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].matches[0].path.value",
  ],
  [
    "a kind of match that is none",
    toGood("{ matches: [{ path: { type: Suffix, value: /x } }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].matches[0].path.type",
  ],
  [
    "a method that is none",
    toGood("{ matches: [{ method: FETCH }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].matches[0].method",
  ],
  [
    "a duration that is none",
    toGood("{ timeouts: { request: soon } }"),
    "HTTPRoute shop/r",
    "spec.rules[0].timeouts.request",
  ],
  [
    "a retry code out of range",
    toGood("{ retry: { codes: [200] } }"),
    "HTTPRoute shop/r",
    "spec.rules[0].retry.codes[0]",
  ],
  [
    "a filter that is not served",
    toGood("{ filters: [{ type: ExtensionRef }] }"),
    "HTTPRoute shop/r",
    "spec.rules[0].filters[0]",
  ],
  [
    "a filter twice",
    toGood(
      "{ filters: [{ type: RequestHeaderModifier, requestHeaderModifier: {} }, { type: RequestHeaderModifier, requestHeaderModifier: {} }] }",
    ),
    "HTTPRoute shop/r",
    "spec.rules[0].filters[1]",
  ],
];
