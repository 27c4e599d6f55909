import type { Case } from "./broken-cases.ts";

export const tokens = (spec: string): string =>
  `{ apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: { name: t, namespace: shop }, spec: ${spec} }`;

const OBJECT = "RequestAuthentication shop/t";
/** A rule in order, but for `rest`. */
const rule = (rest: string): string =>
  tokens(`{ jwtRules: [{ issuer: "https://issuer.example", jwksUri: "https://issuer.example/keys" ${rest} }] }`);
const keys = (jwks: unknown): string =>
  tokens(`{ jwtRules: [{ issuer: x, jwks: '${typeof jwks === "string" ? jwks : JSON.stringify(jwks)}' }] }`);
const RULE = "spec.jwtRules[0]";

/** As `CASES`, for RequestAuthentication. */
export const TOKEN_CASES: readonly Case[] = (
  [
    ["no rules", tokens("{}"), "spec.jwtRules"],
    ["a field without a value", tokens("{ selector: }"), "spec.selector"],
    ["a field that is misspelt", tokens("{ jwtRule: [] }"), "spec.jwtRule"],
    ["a selector and a target", tokens("{ selector: {}, targetRefs: [{ kind: Service, name: good }] }"), "spec"],
    ["a target that is a Gateway", tokens("{ targetRefs: [{ kind: Gateway, name: g }] }"), "spec.targetRefs[0]"],
    [
      "a target that is nowhere",
      tokens("{ targetRefs: [{ kind: Service, name: nobody }] }"),
      "spec.targetRefs[0].name",
    ],
    [
      "a target elsewhere",
      tokens("{ targetRefs: [{ kind: Service, name: good, namespace: else }] }"),
      "spec.targetRefs[0].namespace",
    ],
    ["no issuer", tokens("{ jwtRules: [{ jwksUri: http://a/b }] }"), `${RULE}.issuer`],
    ["an empty issuer", tokens('{ jwtRules: [{ issuer: "", jwksUri: http://a/b }] }'), `${RULE}.issuer`],
    ["an issuer whose keys are nowhere", tokens("{ jwtRules: [{ issuer: me@example.com }] }"), `${RULE}.issuer`],
    ["keys from two places", rule(", jwks: '{}'"), `${RULE}.jwksUri`],
    [
      "a URL of another scheme",
      tokens("{ jwtRules: [{ issuer: x, jwksUri: 'file:///etc/keys' }] }"),
      `${RULE}.jwksUri`,
    ],
    ["a URL with a password", tokens("{ jwtRules: [{ issuer: x, jwksUri: 'http://a:b@c/' }] }"), `${RULE}.jwksUri`],
    ["keys that are no JSON", keys("{"), `${RULE}.jwks`],
    ["keys that are no list", keys({ keys: {} }), `${RULE}.jwks`],
    ["a key that is a secret", keys({ keys: [{ kty: "oct", k: "c2VjcmV0" }] }), `${RULE}.jwks`],
    ["a key that is not on its curve", keys({ keys: [{ kty: "EC", crv: "P-256", x: "AA", y: "AA" }] }), `${RULE}.jwks`],
    ["no key", keys({ keys: [] }), `${RULE}.jwks`],
    ["more keys than any issuer has", keys({ keys: Array.from({ length: 101 }, () => 1) }), `${RULE}.jwks`],
    ["an audience that is empty", rule(', audiences: [""]'), `${RULE}.audiences[0]`],
    ["a header that is none", rule(", fromHeaders: [{ name: 'a b' }]"), `${RULE}.fromHeaders[0].name`],
    ["a header as a text", rule(", fromHeaders: [x-token]"), `${RULE}.fromHeaders[0]`],
    ["a token in Host", rule(", fromHeaders: [{ name: Host }]"), `${RULE}.fromHeaders[0].name`],
    ["a cookie that is none", rule(', fromCookies: ["a;b"]'), `${RULE}.fromCookies[0]`],
    ["the proxy's own header", rule(", outputPayloadToHeader: X-Ambit-Source"), `${RULE}.outputPayloadToHeader`],
    [
      "one header for two claims",
      rule(", outputClaimToHeaders: [{ header: a, claim: b }, { header: A, claim: c }]"),
      `${RULE}.outputClaimToHeaders[1].header`,
    ],
    ["a header for no claim", rule(", outputClaimToHeaders: [{ header: a }]"), `${RULE}.outputClaimToHeaders[0].claim`],
    ["a yes that is a text", rule(', forwardOriginalToken: "yes"'), `${RULE}.forwardOriginalToken`],
    ["a time without end", rule(", timeout: 1h"), `${RULE}.timeout`],
  ] as const
).map(([what, manifest, field]) => [what, manifest, OBJECT, field]);
