import { describe, expect, it } from "vitest";
import type { FilterJwtRule } from "../../agent/compile/filters/filter-config.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { badTokens } from "../jwt/attacks.ts";
import { Issuer, ISSUER_URL } from "../jwt/issuer.ts";
import { CHAIN, EMPTY } from "./chain.ts";
import { ask, bearer, call, CLAIMS, configure, ec, good, host, NOW, rsa, rule, type Headers } from "./jwt-host.ts";

describe("a token that is not good is answered 401", () => {
  for (const { name, reason, authorization } of badTokens(ec, rsa, NOW)) {
    it(`${name}: ${reason}`, () => {
      const { answer } = call(
        rule(),
        authorization.map((value) => ["authorization", value] as const),
      );
      expect(answer).toMatchObject({ status: 401, details: `ambit_jwt:${reason}`, grpcStatus: 16 });
      expect(answer?.headers?.["www-authenticate"]).toMatch(/^Bearer realm="web:80", error="invalid_token"/u);
    });
  }

  it("as nobody knows its issuer's keys yet: no_keys", () =>
    expect(call(rule({ keys: [] }), bearer(good)).answer?.details).toBe("ambit_jwt:no_keys"));
});

describe("a good token", () => {
  for (const algorithm of ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512"]) {
    it(`passes signed by ${algorithm}, again and again`, () => {
      // Numbers of a signature begin with a zero, or with a sign's bit, now and then.
      const issuer = new Issuer(algorithm);
      const wasm = host([rule({}, issuer)]);
      for (let i = 0; i < ({ ES256: 300, ES384: 50, ES512: 50 }[algorithm] ?? 3); i++) {
        expect(ask(wasm, bearer(issuer.token({ ...CLAIMS, jti: i }))).answer).toBeUndefined();
      }
    });
  }

  const passing: Readonly<Record<string, Headers>> = {
    "within a minute of its end": bearer(ec.token({ ...CLAIMS, exp: NOW - 55 })),
    "within a minute of its beginning": bearer(ec.token({ ...CLAIMS, nbf: NOW + 55 })),
    "without an end": bearer(ec.token({ iss: ISSUER_URL, aud: "shop" })),
    "without a key's name": bearer(rsa.token(CLAIMS, { kid: undefined })),
    "with an audience spelt as a URL": bearer(ec.token({ ...CLAIMS, aud: "https://shop/" })),
    "in small letters": { authorization: `bearer ${good}` },
    "with spaces around it": { authorization: `Bearer   ${good} ` },
    "with escapes in its JSON": bearer(ec.token(JSON.stringify(CLAIMS).replace("iss", "\\u0069ss"))),
  };
  for (const [name, headers] of Object.entries(passing)) {
    it(`passes ${name}`, () => {
      const stream = call(rule(), headers);
      expect(stream.answer).toBeUndefined();
      expect(stream.header("authorization")).toBeUndefined();
    });
  }

  it("is not asked for: a request without one passes, or with another scheme", () => {
    expect(call(rule()).answer).toBeUndefined();
    const basic = call(rule(), { authorization: "Basic YTpi" });
    expect(basic.answer).toBeUndefined();
    expect(basic.header("authorization")).toBe("Basic YTpi");
  });

  it("reaches the application where that is asked for", () =>
    expect(call(rule({ forwardOriginalToken: true }), bearer(good)).header("authorization")).toBe(`Bearer ${good}`));
});

describe("where a token is found", () => {
  const inHeader = rule({ fromHeaders: [{ name: "x-token", prefix: "" }] });
  const inParam = rule({ fromParams: ["token", "b c"] });
  const inCookie = rule({ fromCookies: ["session"] });

  it("a header of one's own, and then not in Authorization", () => {
    expect(call(inHeader, { "x-token": good }).header("x-token")).toBeUndefined();
    expect(call(inHeader, { "x-token": "bad" }).answer?.status).toBe(401);
    expect(call(inHeader, bearer("bad")).answer).toBeUndefined();
  });

  it("a prefix of one's own", () => {
    const own = rule({ fromHeaders: [{ name: "x-token", prefix: "jwt=" }] });
    expect(call(own, { "x-token": `jwt=${good}` }).answer).toBeUndefined();
    expect(call(own, { "x-token": "jwt=bad" }).answer?.status).toBe(401);
    expect(call(own, { "x-token": "else" }).header("x-token")).toBe("else");
  });

  const params: Readonly<Record<string, string>> = {
    [`/a?token=${good}`]: "/a",
    [`/a?x=1&token=${good}&y=%2F`]: "/a?x=1&y=%2F",
    [`/a?%74oken=${good}&y`]: "/a?y",
    [`/a?b+c=${good.replace(/^e/u, "%65")}`]: "/a",
  };
  for (const [path, left] of Object.entries(params)) {
    it(`a parameter, which is left out: ${path.slice(0, 20)}`, () => {
      const stream = call(inParam, {}, path);
      expect(stream.answer).toBeUndefined();
      expect(stream.header(":path")).toBe(left);
    });
  }

  it("a parameter that is not good, or comes twice", () => {
    expect(call(inParam, {}, "/?token=bad").answer?.details).toBe("ambit_jwt:malformed");
    expect(call(inParam, {}, "/?token=").answer?.details).toBe("ambit_jwt:malformed");
    expect(call(inParam, {}, `/?token=${good}&%74oken=bad`).answer?.details).toBe("ambit_jwt:several_tokens");
    expect(call(rule(), {}, "/?access_token=bad").answer?.status).toBe(401);
    expect(call(rule(), {}, "/?tokens=bad&?=&=&&%&%7").answer).toBeUndefined();
  });

  it("a cookie, which is left out", () => {
    const among = call(inCookie, { cookie: `a=1; session=${good}; session2=x` });
    expect(among.answer).toBeUndefined();
    expect(among.header("cookie")).toBe("a=1; session2=x");
    expect(call(inCookie, { cookie: `session="${good}"` }).header("cookie")).toBeUndefined();
    const two = call(inCookie, [
      ["cookie", "a=1"],
      ["cookie", `b=2;session=${good}`],
    ]);
    expect(two.headers.filter(([name]) => name === "cookie")).toEqual([["cookie", "a=1; b=2"]]);
  });

  it("a cookie among many that are small", () => {
    const wasm = host([inCookie]);
    const many = Array.from({ length: 2000 }, (_, i) => String.fromCharCode(97 + (i % 26)));
    // What is written beyond its room would be seen in what is kept behind it.
    for (let i = 0; i < 20; i++) {
      const stream = ask(wasm, { cookie: [...many, `session=${good}`].join(";") });
      expect(stream.answer).toBeUndefined();
      expect(stream.header("cookie")).toBe(many.join("; "));
    }
  });

  it("a cookie that is not good, or comes twice", () => {
    expect(call(inCookie, { cookie: "session=bad" }).answer?.details).toBe("ambit_jwt:malformed");
    expect(call(inCookie, { cookie: `session=${good}; session=bad` }).answer?.details).toBe("ambit_jwt:several_tokens");
    expect(call(inCookie, { cookie: "sessions; ;;=; =x" }).answer).toBeUndefined();
  });

  it("one of two places is not good: both have to be", () => {
    const both = rule({ fromHeaders: [{ name: "x-token", prefix: "" }], fromCookies: ["session"] });
    expect(call(both, { "x-token": good, cookie: `session=${good}` }).answer).toBeUndefined();
    expect(call(both, { "x-token": good, cookie: "session=bad" }).answer?.status).toBe(401);
  });
});

describe("several rules", () => {
  const other = new Issuer("RS256", "key-3");
  const second = (): FilterJwtRule => rule({ issuer: "https://other.example", audiences: [] }, other);
  const otherToken = other.token({ iss: "https://other.example" });

  it("each verify their own issuer's tokens", () => {
    const both = [rule(), second()];
    expect(ask(host(both), bearer(good)).answer).toBeUndefined();
    expect(ask(host(both), bearer(otherToken)).answer).toBeUndefined();
    expect(ask(host(both), bearer(ec.token({ iss: "https://other.example" }))).answer?.details).toBe(
      "ambit_jwt:algorithm_not_allowed",
    );
  });

  it("a rule that is not there refuses", () => {
    const wasm = new WasmHost(CHAIN);
    const config = { ...EMPTY, policySets: [{ id: "set", policies: [], jwtRules: ["lost"] }] };
    wasm.configure("outbound", { ...config, clusters: [{ name: "guarded", policySet: "set", port: 8080 }] });
    expect(ask(wasm).answer?.status).toBe(403);
  });
});

describe("a token that has been verified", () => {
  const verifications = (wasm: WasmHost): number =>
    wasm.calls.filter((name) => name === "proxy_call_foreign_function").length;

  it("is not verified again, also by a new configuration that has the same rule", () => {
    const same = rule();
    const wasm = host([same]);
    ask(wasm, bearer(good));
    const before = verifications(wasm);
    for (let i = 0; i < 10; i++) expect(ask(wasm, bearer(good)).answer).toBeUndefined();
    expect(verifications(wasm)).toBe(before);
    configure(wasm, [same]);
    const configured = verifications(wasm);
    expect(ask(wasm, bearer(good)).answer).toBeUndefined();
    expect(verifications(wasm)).toBe(configured);
  });

  it("ends, all the same", () => {
    const wasm = host([rule()]);
    expect(ask(wasm, bearer(good)).answer).toBeUndefined();
    wasm.now = (NOW + 3600 + 61) * 1000;
    expect(ask(wasm, bearer(good)).answer?.details).toBe("ambit_jwt:expired");
  });

  it("is not good for a rule with other keys, or for another audience", () => {
    const wasm = host([rule()]);
    expect(ask(wasm, bearer(good)).answer).toBeUndefined();
    configure(wasm, [rule({}, new Issuer())]);
    expect(ask(wasm, bearer(good)).answer?.details).toBe("ambit_jwt:wrong_signature");
    configure(wasm, [rule({ audiences: ["theirs"] })]);
    expect(ask(wasm, bearer(good)).answer?.details).toBe("ambit_jwt:wrong_audience");
  });

  it("leaves no memory behind, however many come", () => {
    const wasm = host([rule()]);
    const many = Array.from({ length: 2000 }, (_, i) => ec.token({ ...CLAIMS, jti: i, pad: "x".repeat(600) }));
    const turn = (): number => {
      for (const token of many) wasm.end(ask(wasm, bearer(token)));
      return wasm.memory.size;
    };
    const first = turn();
    expect(turn()).toBeLessThanOrEqual(first * 1.5);
    expect(first).toBeLessThan(32 << 20);
  });
});
