import { fc } from "../support/random.ts";

const atom = fc.constantFrom(
  "a",
  ".",
  "[0-9a-z]",
  "\\d",
  "\\w",
  "\\pL",
  "\\p{Greek}",
  "[^/]",
  "(?i:x)",
  "é",
  "[[:alpha:]]",
);
const count = fc.constantFrom("", "", "*", "+", "?", "{3}", "{36}", "{1,100}", "{1000}", "{2,}");

/** Patterns that RE2 can read, of all sizes. */
export const regex: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(
      fc.array(
        fc.tuple(atom, count).map((both) => both.join("")),
        { minLength: 1, maxLength: 4 },
      ),
      count,
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map(
    (groups) =>
      `/${groups.map(([inner, times]) => (times === "" ? inner.join("") : `(${inner.join("|")})${times}`)).join("/")}`,
  );
