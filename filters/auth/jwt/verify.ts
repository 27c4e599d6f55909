import { noteGarbage, nowNanoseconds } from "../../../assembly/index";
import { ISSUER, MALFORMED, Rejection, SEVERAL, TOO_LARGE } from "./rejection";
import { TokenRule } from "./rule";
import { parseToken } from "./token";
import { VerifiedToken, verifiedTokens } from "./verified";

const MAX_SIZE: usize = 16_384;
const COMMA: u8 = 0x2c;

/** The outcome of the last `verifyToken`. */
class Verdict {
  token: VerifiedToken | null = null;
  rejection: Rejection | null = null;
}

export const verdict = new Verdict();

/**
 * Verifies a token by the rules for its place in the request, and writes the result to `verdict`. False: the token is
 * rejected.
 */
export function verifyToken(start: usize, size: usize, rules: TokenRule[]): bool {
  const now = <f64>nowNanoseconds() / 1e9;
  verdict.rejection = null;
  verdict.token = verifiedTokens.find(start, size, rules, now);
  if (verdict.token !== null) return true;
  if (size > MAX_SIZE) return refuse(TOO_LARGE);
  // The text and values of its JSON, and the kept token.
  noteGarbage(size * 32);
  const token = parseToken(start, size);
  // Proxies join headers of one name by commas.
  if (token === null) return refuse(hasComma(start, size) ? SEVERAL : MALFORMED);
  let rejection = ISSUER;
  for (let i = 0; i < rules.length; i++) {
    const found = rules[i].judge(token, now);
    if (found === null) {
      const verified = new VerifiedToken(start, size, token, rules[i]);
      verifiedTokens.add(verified);
      verdict.token = verified;
      return true;
    }
    // The rejection by the issuer's own rule tells more than "another issuer".
    if (found !== ISSUER) rejection = found;
  }
  return refuse(rejection);
}

function refuse(rejection: Rejection): bool {
  verdict.rejection = rejection;
  return false;
}

function hasComma(start: usize, size: usize): bool {
  for (let i: usize = 0; i < size; i++) if (load<u8>(start + i) == COMMA) return true;
  return false;
}
