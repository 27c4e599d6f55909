import { fc } from "../support/random.ts";

/** Any code point, surrogates among them. */
const character = fc
  .oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 0x10ffff }))
  .map((point) => String.fromCodePoint(point));

/** Texts that readers, parsers and printers have stumbled over, in policies above all. */
export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: character, maxLength: 40 }) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom("CORP", "", "a", "*", "shop", '"', "é", "x".repeat(200)),
        fc.constantFrom("\\", '"', "\u0000", "*", ",", "|", "/", "{", "}", "[", "]"),
      )
      .map(([text, end]) => text + end),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "",
      " ",
      "\\",
      "\\\\",
      '\\"',
      '","policies":[],"x":"',
      "\\u0000",
      "\\ud800",
      "\ud800",
      "\udfff\ud800",
      "\u2028",
      "\u202e",
      "𝔘𝔫𝔦",
      "\r\nx: y",
      "__proto__",
      "../../etc/passwd",
      "%s%n%%",
      "100%",
      "%REQ(:path)%",
      "a|b|c",
      "null",
    ),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }).map((size) => "a".repeat(size)) },
);

/** Values that a field is not made for. */
export const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  nastyText,
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(null, -1, 0, 0.5, 65_536, 2 ** 53, 1e308, true, false, [], {}, [[]], [null], { "": "" }),
);

/** Mostly a value as it should be, now and then one that it should not be, or none. */
export function mostly<T>(good: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof<fc.MaybeWeightedArbitrary<unknown>[]>(
    { weight: 30, arbitrary: good },
    { weight: 1, arbitrary: nastyValue },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}
