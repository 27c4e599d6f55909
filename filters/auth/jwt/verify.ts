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

/** Verifies a token by the rules for the place where it was found; into `verdict`. False where it is not good. */
export function verifyToken(start: usize, size: usize, rules: TokenRule[]): bool {
  const now = <f64>nowNanoseconds() / 1e9;
  verdict.rejection = null;
  verdict.token = verifiedTokens.find(start, size, rules, now);
  if (verdict.token !== null) return true;
  if (size > MAX_SIZE) return refuse(TOO_LARGE);
  // Text and values of its JSON, and what is kept of it.
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
    // What the issuer's own rule says tells more than that another one is not the issuer's.
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
