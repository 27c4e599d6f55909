import { fc } from "../support/random.ts";

const atom = fc.constantFrom(
  ...["a", ".", "[0-9a-z]", "\\d", "\\w", "\\pL", "\\p{Greek}", "[^/]", "(?i:x)", "é", "[[:alpha:]]"],
);
const count = fc.constantFrom("", "", "*", "+", "?", "{3}", "{36}", "{1,100}", "{1000}", "{2,}");
const piece = fc.tuple(atom, count).map((both) => both.join(""));

const group = fc
  .tuple(fc.array(piece, { minLength: 1, maxLength: 4 }), count)
  .map(([inner, times]) => (times === "" ? inner.join("") : `(${inner.join("|")})${times}`));
/** As much as RE2's own limit of 1,000 repetitions allows. */
const large = fc.array(atom, { minLength: 2, maxLength: 12 }).map((atoms) => `(${atoms.join("|")}){1000}`);

/** Patterns that RE2 can read, of all sizes. */
export const regex: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 7, arbitrary: fc.array(group, { minLength: 1, maxLength: 5 }) },
    { weight: 1, arbitrary: fc.array(large, { minLength: 1, maxLength: 4 }) },
  )
  .map((parts) => `/${parts.join("/")}`);
