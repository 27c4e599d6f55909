import { Issuer, ISSUER_URL } from "./issuer.ts";

/** Nobody knows its keys. */
const STRANGER = new Issuer();

export interface Bad {
  readonly name: string;
  readonly reason: string;
  /** Values of Authorization headers. */
  readonly authorization: readonly string[];
}

const bearer = (name: string, reason: string, token: string): Bad => ({
  name,
  reason,
  authorization: [`Bearer ${token}`],
});

/**
 * Tokens that nobody may get through with, where tokens of ISSUER_URL for the audience `shop` are verified by keys of `ec` and
 * `rsa`. `now` in seconds.
 */
export function badTokens(ec: Issuer, rsa: Issuer, now: number): readonly Bad[] {
  const claims = { iss: ISSUER_URL, sub: "alice", aud: "shop", exp: now + 3600 };
  const good = ec.token(claims);
  const [head = "", body = "", signature = ""] = good.split(".");
  const swap = (text: string): string => `${text.startsWith("A") ? "B" : "A"}${text.slice(1)}`;
  const zeros = Buffer.alloc(64).toString("base64url");
  return [
    bearer("no algorithm", "algorithm_not_allowed", ec.unsigned(claims)),
    bearer("the public key as an HMAC's secret", "algorithm_not_allowed", ec.forgedByHmac(claims)),
    bearer("RSA's public key as an HMAC's secret", "algorithm_not_allowed", rsa.forgedByHmac(claims)),
    bearer("an algorithm spelt otherwise", "algorithm_not_allowed", ec.token(claims, { alg: "es256" })),
    bearer("RSA by a key of a curve", "unknown_key", ec.token(claims, { alg: "RS256" })),
    bearer(
      "an algorithm with padding that is not served",
      "algorithm_not_allowed",
      rsa.token(claims, { alg: "PS256" }),
    ),
    bearer("no signature", "wrong_signature", `${head}.${body}.`),
    bearer("half a signature", "wrong_signature", `${head}.${body}.${signature.slice(0, 40)}`),
    bearer("a signature of zeros", "wrong_signature", `${head}.${body}.${zeros}`),
    bearer("another signature", "wrong_signature", `${head}.${body}.${swap(signature)}`),
    bearer("RSA's signature cut short", "wrong_signature", rsa.token(claims).slice(0, -6)),
    bearer(
      "other claims than were signed",
      "wrong_signature",
      `${head}.${encode({ ...claims, sub: "root" })}.${signature}`,
    ),
    bearer("another issuer's key of the same name", "wrong_signature", STRANGER.token(claims)),
    bearer("a key that the issuer does not have", "unknown_key", ec.token(claims, { kid: "key-9" })),
    bearer("a key in the token itself", "wrong_signature", STRANGER.token(claims, { jwk: STRANGER.jwk })),
    bearer("another issuer", "unknown_issuer", ec.token({ ...claims, iss: "https://else.example" })),
    bearer("no issuer", "unknown_issuer", ec.token({ ...claims, iss: undefined })),
    bearer("an issuer in a list", "unknown_issuer", ec.token({ ...claims, iss: [ISSUER_URL] })),
    bearer("another audience", "wrong_audience", ec.token({ ...claims, aud: ["else", "shopping"] })),
    bearer("no audience", "wrong_audience", ec.token({ ...claims, aud: undefined })),
    bearer("expired", "expired", ec.token({ ...claims, exp: now - 600 })),
    bearer("expired for ever", "expired", ec.token({ ...claims, exp: 0 })),
    bearer("not yet valid", "not_yet_valid", ec.token({ ...claims, nbf: now + 600 })),
    bearer("an end that is a text", "malformed", ec.token({ ...claims, exp: String(now + 3600) })),
    bearer("an end beyond all numbers", "malformed", ec.token(`{"iss":"${ISSUER_URL}","aud":"shop","exp":1e999}`)),
    bearer("the issuer twice", "malformed", ec.token(`{"iss":"x","iss":"${ISSUER_URL}","aud":"shop"}`)),
    bearer("the issuer twice, spelt otherwise", "malformed", ec.token(`{"\\u0069ss":"x","iss":"${ISSUER_URL}"}`)),
    bearer("something that is critical", "malformed", ec.token(claims, { crit: ["b64"], b64: false })),
    bearer("a name of a key that is no text", "malformed", ec.token(claims, { kid: 1 })),
    bearer("claims that are no object", "malformed", ec.token("[]")),
    bearer("claims with something behind them", "malformed", ec.token(`${JSON.stringify(claims)}{}`)),
    bearer("claims that nest without end", "malformed", ec.token(`{"a":${"[".repeat(5000)}`)),
    bearer("claims of ten thousand", "malformed", ec.token(`{"a":[${"1,".repeat(5000)}1]}`)),
    bearer(
      "claims that are no UTF-8",
      "malformed",
      `${head}.${Buffer.from('{"a":"\xff"}', "latin1").toString("base64url")}.x`,
    ),
    bearer("NUL in a claim", "malformed", ec.token(`{"iss":"${ISSUER_URL}","aud":"shop","a\\u0000b":"c"}`)),
    bearer("base64 of the other alphabet", "malformed", `${head}.${body}.${"+/".repeat(43)}`),
    bearer("padding", "malformed", `${head}.${body}.${signature}=`),
    bearer(
      "bits that nobody looks at",
      "malformed",
      `${head}.${body}.${signature.slice(0, -1)}${nextLetter(signature)}`,
    ),
    bearer("two parts", "malformed", `${head}.${body}`),
    bearer("four parts", "malformed", `${good}.x`),
    bearer("five parts, as what is encrypted has", "malformed", `${good}.x.y`),
    bearer("only dots", "malformed", ".."),
    bearer("nothing", "malformed", ""),
    bearer("no token", "malformed", "opaque-session-id"),
    bearer("bytes beyond ASCII", "malformed", "\u00e9\u00e8.\u00e9.\u00e9"),
    bearer("64 kB", "too_large", `${head}.${"A".repeat(65_000)}.${signature}`),
    { name: "the scheme alone", reason: "malformed", authorization: ["Bearer"] },
    { name: "small letters", reason: "malformed", authorization: ["bearer opaque"] },
    { name: "more spaces than one", reason: "malformed", authorization: ["Bearer  \t opaque"] },
    { name: "two headers, the first good", reason: "several_tokens", authorization: [`Bearer ${good}`, "Bearer x"] },
    { name: "two headers, both good", reason: "several_tokens", authorization: [`Bearer ${good}`, `Bearer ${good}`] },
    { name: "two in one header", reason: "several_tokens", authorization: [`Bearer ${good}, Bearer ${good}`] },
    { name: "one behind another scheme", reason: "several_tokens", authorization: [`Basic YTpi, Bearer ${good}`] },
  ];
}

function encode(claims: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify(claims)).toString("base64url");
}

/** Of 64 bytes in base64url the last letter has four bits that stand for nothing. */
function nextLetter(text: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return letters[letters.indexOf(text.slice(-1)) + 1] ?? "A";
}
