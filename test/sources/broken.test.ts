import { describe, expect, it } from "vitest";
import { CASES, GOOD } from "./broken-cases.ts";
import { PEER_CASES, peers } from "./broken-peer-cases.ts";
import { policy, POLICY_CASES } from "./broken-policy-cases.ts";
import { TOKEN_CASES, tokens } from "./broken-token-cases.ts";
import { meshOf } from "./manifests.ts";
import { printProblem } from "../../agent/model/problem.ts";

describe("beside a good Service", () => {
  for (const [what, manifest, object, field] of [...CASES, ...POLICY_CASES, ...TOKEN_CASES, ...PEER_CASES]) {
    it(`${what} is named, and the good one served`, async () => {
      const { problems: found, services } = await meshOf(`${GOOD}\n---\n${manifest}\n`);
      const problems = found.map(printProblem);
      expect(services.map(({ meta }) => meta.name)).toContain("good");
      const named = problems.filter((problem) => problem.object.startsWith(object) && problem.field.startsWith(field));
      expect(named.length > 0 ? named : problems).toBe(named);
      for (const { origin, reason, remedy } of named) {
        expect(origin).toMatch(/a\.yaml(:\d+)?$/u);
        expect(reason).not.toBe("");
        expect(remedy).not.toBe("");
      }
    });
  }

  it("bytes that are no UTF-8 are named", async () => {
    const { problems } = await meshOf(Uint8Array.from([0x61, 0x3a, 0xff, 0xfe]));
    expect(problems).toHaveLength(1);
  });

  it("a file of 20 MB is named, and not read", async () => {
    const { problems } = await meshOf("#".repeat(20 << 20));
    expect(problems).toHaveLength(1);
  });
});

describe("a field that is misspelt", () => {
  for (const [manifest, field, remedy] of [
    [policy("{ rules: [{ from: [{ source: { principles: [a] } }] }] }"), "from[0].source.principles", "principals"],
    [policy("{ rules: [{ from: [{ sources: { principals: [a] } }] }] }"), "from[0].sources", "source"],
    [policy("{ rules: [{ to: [{ operation: { method: [GET] } }] }] }"), "to[0].operation.method", "methods"],
    [policy("{ rules: [{ when: [{ key: source.ip, value: ['::1'] }] }] }"), "when[0].value", "values"],
    [policy("{ rules: [{ when: [{ keys: source.ip, values: ['::1'] }] }] }"), "when[0].keys", "key"],
    [tokens("{ jwtRules: [{ isuer: a, jwksUri: 'https://a/k' }] }"), "jwtRules[0].isuer", "issuer"],
    [tokens("{ jwtRules: [{ issuer: a, jwkUri: 'https://a/k' }] }"), "jwtRules[0].jwkUri", "jwksUri"],
    [tokens("{ jwtRule: [{ issuer: a }] }"), "spec.jwtRule", "jwtRules"],
  ] as const) {
    it(`is said once, with the name that was meant: ${field}`, async () => {
      const { problems } = await meshOf(manifest);
      expect(problems).toMatchObject([{ code: "unknown-field", remedy: `Did you mean "${remedy}"?` }]);
      expect(problems[0]?.field.endsWith(field)).toBe(true);
    });
  }

  it("is never to be removed where that would make a policy mean more", async () => {
    const { problems } = await meshOf(policy("{ rules: [{ from: [{ source: { users: [ann] } }] }] }"));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.remedy).toMatch(/^Use one of principals, /u);
  });
});

it("problems of a file come in the order of its lines", async () => {
  const broken = policy("{ actio: DENY }");
  const { problems } = await meshOf(
    Array.from({ length: 12 }, (_, at) => broken.replace("name: p", `name: p${at}`)).join("\n---\n"),
  );
  const lines = problems.map(({ origin }) => origin.line ?? Number.NaN);
  expect(lines).toEqual(lines.toSorted((a, b) => a - b));
});

describe("a policy that is not understood", () => {
  for (const spec of [
    "{ rules: [{ when: [{ key: a }] }] }",
    "{ action: DENY, rules: [{ from: [{ source: { nope: [] } }] }] }",
    "{ action: CUSTOM }",
    "{ rules: 1 }",
  ]) {
    it(`${spec} denies every call to the pods that it selects`, async () => {
      const { authorizationPolicies } = await meshOf(policy(spec));
      expect(authorizationPolicies).toMatchObject([{ alwaysDeny: true }]);
    });
  }
});

describe("a RequestAuthentication that is not understood", () => {
  for (const spec of [
    "{ jwtRules: [{}] }",
    "{ jwtRules: 1 }",
    "{ selector: { labels: {} } }",
    "{ targetRefs: [{}] }",
  ]) {
    it(`${spec} refuses every call to the pods that it selects`, async () => {
      const { requestAuthentications } = await meshOf(tokens(spec));
      expect(requestAuthentications).toMatchObject([{ alwaysDeny: true, rules: [], targets: [{ labels: {} }] }]);
    });
  }

  it("on a Service speaks of its pods alone", async () => {
    const selected = GOOD.replace("ports:", "selector: { app: good }, ports:");
    const broken = tokens("{ targetRefs: [{ kind: Service, name: good }], jwtRules: [{}] }");
    const { requestAuthentications } = await meshOf(`${selected}\n---\n${broken}\n`);
    expect(requestAuthentications).toMatchObject([{ alwaysDeny: true, targets: [{ name: "good" }] }]);
  });
});

describe("a PeerAuthentication that is not understood", () => {
  for (const spec of [
    "{ mtls: { mode: SOFT } }",
    "{ mtls: { mode: permissive } }",
    "{ mtls: { mode: } }",
    "{ mtls: DISABLE }",
    "{ mtl: {} }",
    "[]",
  ]) {
    it(`${spec} is STRICT`, async () => {
      const { peerAuthentications } = await meshOf(peers(spec));
      expect(peerAuthentications).toMatchObject([{ mode: "STRICT", selector: undefined }]);
    });
  }

  it("with a selector that is not understood speaks of the whole namespace", async () => {
    const { peerAuthentications } = await meshOf(peers("{ selector: { labels: { a: b } }, mtls: { mode: STRICT } }"));
    expect(peerAuthentications).toMatchObject([{ mode: "STRICT", selector: undefined }]);
  });

  it("in the mode of one port is STRICT there", async () => {
    const spec =
      "{ selector: { matchLabels: { a: b } }, mtls: { mode: DISABLE }, portLevelMtls: { 80: { mode: OFF }, 81: DISABLE } }";
    const { peerAuthentications } = await meshOf(peers(spec));
    expect(peerAuthentications).toMatchObject([
      {
        mode: "DISABLE",
        ports: new Map([
          [80, "STRICT"],
          [81, "STRICT"],
        ]),
      },
    ]);
  });
});
