import type { Case } from "./broken-cases.ts";

export const policy = (spec: string): string =>
  `{ apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: { name: p, namespace: shop }, spec: ${spec} }`;
const budget = (spec: string): string =>
  `{ apiVersion: gateway.networking.x-k8s.io/v1alpha1, kind: XBackendTrafficPolicy, metadata: { name: b, namespace: shop }, spec: ${spec} }`;

export const POLICY_CASES: readonly Case[] = [
  ["an action that is none", policy("{ action: PERMIT, rules: [{}] }"), "AuthorizationPolicy shop/p", "spec.action"],
  [
    "an action that is not served",
    policy("{ action: CUSTOM, rules: [{}] }"),
    "AuthorizationPolicy shop/p",
    "spec.action",
  ],
  [
    "a condition that is not known",
    policy("{ rules: [{ when: [{ key: source.addr, values: [b] }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].when[0].key",
  ],
  [
    "a condition that is not served",
    policy("{ rules: [{ when: [{ key: 'experimental.envoy.filters.a.b[c]', values: [b] }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].when[0].key",
  ],
  [
    "a condition without values",
    policy("{ rules: [{ when: [{ key: source.ip }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].when[0]",
  ],
  [
    "a condition on a header without a name",
    policy("{ rules: [{ when: [{ key: 'request.headers[]', values: [b] }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].when[0].key",
  ],
  [
    "a condition on a claim that is not closed",
    policy("{ rules: [{ when: [{ key: 'request.auth.claims[a', values: [b] }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].when[0].key",
  ],
  [
    "a condition's address that is none",
    policy("{ rules: [{ when: [{ key: destination.ip, notValues: [web] }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].when[0].notValues[0]",
  ],
  [
    "a path template with a wildcard in a word",
    policy("{ rules: [{ to: [{ operation: { paths: ['/a/{*}.txt'] } }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].to[0].operation.paths[0]",
  ],
  [
    "a path template with something behind the rest",
    policy("{ rules: [{ to: [{ operation: { paths: ['/{**}/a/{*}'] } }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].to[0].operation.paths[0]",
  ],
  [
    "a service account with a pattern",
    policy("{ rules: [{ from: [{ source: { serviceAccounts: ['shop/a*'] } }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].from[0].source.serviceAccounts[0]",
  ],
  [
    "a request principal with a pattern in the issuer",
    policy("{ rules: [{ from: [{ source: { requestPrincipals: ['https://acc*'] } }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].from[0].source.requestPrincipals[0]",
  ],
  [
    "a target that is not there",
    policy("{ targetRefs: [{ kind: Service, group: '', name: nowhere }], rules: [{}] }"),
    "AuthorizationPolicy shop/p",
    "spec.targetRefs[0].name",
  ],
  [
    "a target of another namespace",
    policy("{ targetRefs: [{ kind: Service, name: good, namespace: other }], rules: [{}] }"),
    "AuthorizationPolicy shop/p",
    "spec.targetRefs[0].namespace",
  ],
  [
    "a target that is no Service",
    policy("{ targetRefs: [{ kind: Gateway, group: gateway.networking.k8s.io, name: g }], rules: [{}] }"),
    "AuthorizationPolicy shop/p",
    "spec.targetRefs[0]",
  ],
  [
    "a target beside a selector",
    policy("{ selector: { matchLabels: { a: b } }, targetRefs: [{ kind: Service, name: good }], rules: [{}] }"),
    "AuthorizationPolicy shop/p",
    "spec",
  ],
  [
    "a block that is none",
    policy("{ rules: [{ from: [{ source: { ipBlocks: [10.0.0.0/99] } }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].from[0].source.ipBlocks[0]",
  ],
  [
    "a misspelt source",
    policy("{ rules: [{ from: [{ source: { principal: [x] } }] }] }"),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].from[0].source.principal",
  ],
  [
    "a policy's port that is none",
    policy('{ rules: [{ to: [{ operation: { ports: ["web"] } }] }] }'),
    "AuthorizationPolicy shop/p",
    "spec.rules[0].to[0].operation.ports[0]",
  ],
  [
    "a budget above a hundred",
    budget("{ targetRefs: [{ group: '', kind: Service, name: good }], retryConstraint: { budget: { percent: 101 } } }"),
    "XBackendTrafficPolicy shop/b",
    "spec.retryConstraint.budget.percent",
  ],
  ["a budget for nothing", budget("{ retryConstraint: {} }"), "XBackendTrafficPolicy shop/b", "spec.targetRefs"],
];
