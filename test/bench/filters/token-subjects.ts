import type { FilterJwtRule } from "../../../agent/compile/filters/filter-config.ts";
import { Issuer, ISSUER_URL } from "../../jwt/issuer.ts";
import { jwtRule } from "../../jwt/jwt-rule.ts";

/** More than the filter remembers: by the time that one comes again it has been forgotten. */
const MANY = 8192;

export interface TokenSubject {
  readonly name: string;
  /** Sent in turns; none: requests carry none. */
  readonly tokens: readonly string[];
}

/** A rule for tokens of one issuer, and requests with and without them. */
export function tokenSubjects(): {
  readonly rule: FilterJwtRule;
  readonly subjects: readonly TokenSubject[];
} {
  const issuer = new Issuer("ES256");
  const exp = Math.floor(Date.now() / 1000) + 86_400;
  const token = (jti: number): string =>
    issuer.token({ iss: ISSUER_URL, sub: "alice", aud: "shop", exp, jti, scope: "read write", groups: ["dev", "ops"] });
  const many = Array.from({ length: MANY }, (_, jti) => token(jti));
  return {
    rule: jwtRule([issuer]),
    subjects: [
      { name: "the three, tokens asked for: none sent", tokens: [] },
      { name: "the three, an ES256 token seen before", tokens: [token(-1)] },
      { name: "the three, an ES256 token never seen", tokens: many },
    ],
  };
}
