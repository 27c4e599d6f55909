import type { FilterJwtRule } from "../../agent/compile/filters/filter-config.ts";
import { readKeySet } from "../../agent/objects/tokens/json-web-keys.ts";
import { type Issuer, ISSUER_URL, keySet } from "./issuer.ts";

let rules = 0;

/** As a filter is told it: tokens of ISSUER_URL for the audience `shop`, by keys of these issuers; `part` in place of that. */
export function jwtRule(issuers: readonly Issuer[], part: Partial<FilterJwtRule> = {}): FilterJwtRule {
  const set = readKeySet(keySet(...issuers));
  if (typeof set === "string") throw new TypeError(set);
  return {
    id: `rule-${rules++}`,
    issuer: ISSUER_URL,
    audiences: ["shop"],
    fromHeaders: [],
    fromParams: [],
    fromCookies: [],
    outputPayloadToHeader: "",
    outputClaimToHeaders: [],
    forwardOriginalToken: false,
    spaceDelimitedClaims: [],
    keys: set.keys,
    ...part,
  };
}
