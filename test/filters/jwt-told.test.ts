import { describe, expect, it } from "vitest";
import type { FilterPolicy } from "../../agent/compile/filters/filter-config.ts";
import { ISSUER_URL } from "../jwt/issuer.ts";
import { ask, bearer, call, CLAIMS, ec, good, host, rule } from "./jwt-host.ts";

describe("what the application is told", () => {
  const outputs = rule({
    outputPayloadToHeader: "x-payload",
    outputClaimToHeaders: [
      { header: "x-sub", claim: "sub" },
      { header: "x-level", claim: "user.level" },
      { header: "x-admin", claim: "user.admin" },
      { header: "x-role", claim: "example.com/role" },
      { header: "x-list", claim: "aud" },
      { header: "x-break", claim: "break" },
      { header: "x-name", claim: "name" },
    ],
  });
  const claims = {
    ...CLAIMS,
    user: { level: 7, admin: true },
    "example.com/role": "dev",
    break: "a\r\nx-admin: true",
    name: "Zoë",
  };

  it("is the payload, and claims", () => {
    const stream = call(outputs, bearer(ec.token(claims)));
    expect(stream.answer).toBeUndefined();
    const payload = Buffer.from(stream.header("x-payload") ?? "", "base64url").toString("utf8");
    expect(JSON.parse(payload)).toEqual(claims);
    const told = ["x-sub", "x-level", "x-admin", "x-role", "x-list", "x-break", "x-name"].map((name) =>
      stream.header(name),
    );
    expect(told).toEqual(["alice", "7", "true", "dev", undefined, undefined, "Zoë"]);
  });

  it("is never what the caller says", () => {
    const forged = { "x-payload": "x", "x-sub": "root", x_sub: "root", x_admin: "true", "x-list": "all" };
    for (const headers of [forged, { ...forged, ...bearer(ec.token({ ...CLAIMS, sub: "bob" })) }]) {
      const stream = call(outputs, headers);
      expect(stream.answer).toBeUndefined();
      expect(JSON.stringify(stream.headers)).not.toMatch(/root|"true"|"all"/u);
    }
  });
});

describe("policies know who asks by the token", () => {
  const when = (attribute: string, values: readonly string[], path: readonly string[] = []): FilterPolicy => ({
    name: "shop/allow",
    action: "ALLOW",
    dryRun: false,
    alwaysDeny: false,
    rules: [{ from: [], to: [], when: [{ attribute, path, values, notValues: [] }] } as FilterPolicy["rules"][number]],
  });
  const claims = { ...CLAIMS, scope: "read  write", groups: ["dev", 7], realm: { roles: ["a"], words: "x y" } };
  const token = bearer(ec.token(claims));
  const told = rule({
    outputClaimToHeaders: [{ header: "x-sub", claim: "sub" }],
    spaceDelimitedClaims: ["realm.words"],
  });
  const ALLOWED = [
    when("request.auth.principal", [`${ISSUER_URL}/alice`]),
    when("request.auth.audiences", ["else"]),
    when("request.auth.presenter", ["web"]),
    when("request.auth.claims", ["write"], ["scope"]),
    when("request.auth.claims", ["dev"], ["groups"]),
    when("request.auth.claims", ["a"], ["realm", "roles"]),
    when("request.auth.claims", ["y"], ["realm", "words"]),
    when("request.headers", ["alice"], ["x-sub"]),
  ];
  for (const policy of ALLOWED) {
    const condition = JSON.stringify(policy.rules[0]?.when[0]);
    it(`${condition} holds`, () => expect(ask(host([told], [policy]), token).answer).toBeUndefined());
    it(`${condition} does not hold without one`, () =>
      expect(ask(host([told], [policy])).answer?.details).toBe("ambit_denied:no_allow_policy_matched"));
  }

  it("and not by what the caller says in its place", () => {
    const policy = when("request.headers", ["root"], ["x-sub"]);
    expect(ask(host([told], [policy]), { "x-sub": "root" }).answer?.status).toBe(403);
    expect(ask(host([told], [policy]), { ...token, "x-sub": "root" }).answer?.status).toBe(403);
  });

  it("and judge the path that the application gets", () => {
    const policy = when("request.path", ["/a"]);
    expect(ask(host([told], [policy]), {}, `/x/../a?access_token=${good}&b`).header(":path")).toBe("/a?b");
  });
});
