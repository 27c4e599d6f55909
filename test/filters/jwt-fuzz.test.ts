import { fc } from "../support/random.ts";
import { expect, it } from "vitest";
import { ask, CLAIMS, ec, host, rule } from "./jwt-host.ts";

// A module that traps answers 503 to everybody until it has been loaded again: nothing that is sent may do that.

const places = rule({
  fromHeaders: [
    { name: "authorization", prefix: "Bearer " },
    { name: "x-token", prefix: "" },
  ],
  fromParams: ["token"],
  fromCookies: ["session"],
  outputPayloadToHeader: "x-payload",
  outputClaimToHeaders: [{ header: "x-sub", claim: "sub.a" }],
});
const wasm = host([places]);

const piece = fc.oneof(
  fc.constantFrom(
    "Bearer",
    "bearer ",
    " ",
    "\t",
    ",",
    ".",
    "..",
    "=",
    ";",
    "&",
    "%",
    "%7",
    "%41",
    "+",
    "?",
    '"',
    "token=",
    "session=",
  ),
  fc.string({ maxLength: 12 }),
  fc.constantFrom(...ec.token(CLAIMS).split(".")),
);
const pieces = fc.array(piece, { maxLength: 8 }).map((list) => list.join(""));
const json = fc.oneof(
  fc.json(),
  fc
    .array(
      fc.constantFrom(
        "{",
        "}",
        "[",
        "]",
        '"',
        "\\",
        "\\u00",
        ":",
        ",",
        "1",
        "-",
        "e",
        ".",
        "true",
        "nul",
        " ",
        '"a"',
        "\\ud800",
      ),
      {
        maxLength: 12,
      },
    )
    .map((parts) => parts.join("")),
);

it("headers, parameters and cookies of any text are refused or passed, and do no harm", () => {
  fc.assert(
    fc.property(pieces, pieces, pieces, pieces, (authorization, token, query, cookie) => {
      const stream = ask(wasm, { authorization, "x-token": token, cookie }, `/?${query}`);
      expect([undefined, 401]).toContain(stream.answer?.status);
      wasm.end(stream);
    }),
    { numRuns: 3000 },
  );
});

it("claims of any JSON, and of what is none, do no harm, signed though they are", () => {
  fc.assert(
    fc.property(json, json, (claims, value) => {
      const tokens = [ec.token(claims), ec.token(`{"iss":"${CLAIMS.iss}","aud":"shop","sub":{"a":${value}}}`)];
      for (const token of tokens) {
        const stream = ask(wasm, { "x-token": token });
        expect([undefined, 401]).toContain(stream.answer?.status);
        wasm.end(stream);
      }
    }),
    { numRuns: 1000 },
  );
});

it("JSON is read as others read it", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (value) => {
      const claims = `{"iss":"${CLAIMS.iss}","aud":"shop","sub":{"a":${value}}}`;
      const stream = ask(wasm, { "x-token": ec.token(claims) });
      const { a } = (JSON.parse(claims) as { readonly sub: { readonly a: unknown } }).sub;
      expect(stream.answer).toBeUndefined();
      const told = typeof a === "boolean" ? String(a) : stream.header("x-sub");
      expect(stream.header("x-sub")).toBe(told);
      wasm.end(stream);
    }),
    { numRuns: 500 },
  );
});

it("texts are read as others read them, however they are escaped", () => {
  const escaped = (text: string): string =>
    Array.from(text)
      .map((each, i) => (i % 2 === 0 ? each : unicodeEscapes(each)))
      .join("");
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
      const written = `"${escaped(
        JSON.stringify(text)
          .slice(1, -1)
          .replace(/\\u([0-9a-f]{4})/gu, "?"),
      )}"`;
      const stream = ask(wasm, { "x-token": ec.token(`{"iss":"${CLAIMS.iss}","aud":"shop","sub":{"a":${written}}}`) });
      let read: string | undefined;
      try {
        read = JSON.parse(written) as string;
      } catch {
        // An escape that was cut in two.
      }
      const isText = read !== undefined && !hasControl(read) && !hasLoneSurrogate(read);
      expect(stream.header("x-sub")).toBe(isText ? read : undefined);
      wasm.end(stream);
    }),
    { numRuns: 2000 },
  );
});

function unicodeEscapes(text: string): string {
  return Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join(
    "",
  );
}

/** Such that UTF-8 has no bytes for. */
function hasLoneSurrogate(text: string): boolean {
  return Array.from(text).some((each) => each.length === 1 && each >= "\ud800" && each <= "\udfff");
}

function hasControl(text: string): boolean {
  return Array.from(text).some((each) => each < " " || each === "\u007f");
}
