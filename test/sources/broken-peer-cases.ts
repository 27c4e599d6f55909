import type { Case } from "./broken-cases.ts";

export const peers = (spec: string): string =>
  `{ apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: { name: m, namespace: shop }, spec: ${spec} }`;

const SELECTOR = "selector: { matchLabels: { app: web } }";

/** As `CASES`, for PeerAuthentication. */
export const PEER_CASES: readonly Case[] = (
  [
    ["a mode that is none", peers("{ mtls: { mode: SOFT } }"), "spec.mtls.mode"],
    ["a mode in lower case", peers("{ mtls: { mode: strict } }"), "spec.mtls.mode"],
    ["a mode that is a list", peers("{ mtls: { mode: [STRICT] } }"), "spec.mtls.mode"],
    ["a mode without a value", peers("{ mtls: { mode: } }"), "spec.mtls.mode"],
    ["modes that are a word", peers("{ mtls: STRICT }"), "spec.mtls"],
    ["a field of the modes that is misspelt", peers("{ mtls: { mod: STRICT } }"), "spec.mtls.mod"],
    ["a field that is misspelt", peers("{ mtl: { mode: STRICT } }"), "spec.mtl"],
    ["a spec that is a list", peers("[]"), "spec"],
    ["a selector by name", peers("{ selector: { labels: { app: web } } }"), "spec.selector.labels"],
    ["a selector that is a word", peers("{ selector: web }"), "spec.selector"],
    ["a selector of numbers", peers("{ selector: { matchLabels: { app: 1 } } }"), "spec.selector.matchLabels.app"],
    ["a port of zero", peers(`{ ${SELECTOR}, portLevelMtls: { 0: { mode: STRICT } } }`), 'spec.portLevelMtls["0"]'],
    ["a port by name", peers(`{ ${SELECTOR}, portLevelMtls: { http: { mode: STRICT } } }`), "spec.portLevelMtls.http"],
    ["a port with a word", peers(`{ ${SELECTOR}, portLevelMtls: { 80: STRICT } }`), 'spec.portLevelMtls["80"]'],
    [
      "a port's mode that is none",
      peers(`{ ${SELECTOR}, portLevelMtls: { 80: { mode: NONE } } }`),
      'spec.portLevelMtls["80"].mode',
    ],
    ["a port's mode without a selector", peers("{ portLevelMtls: { 80: { mode: STRICT } } }"), "spec.portLevelMtls"],
  ] as const
).map(([what, manifest, field]): Case => [
  `in a PeerAuthentication, ${what}`,
  manifest,
  "PeerAuthentication shop/m",
  field,
]);
