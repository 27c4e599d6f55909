import { JsonKind, JsonValue, Key } from "../../../assembly/index";
import { JwtRule } from "../../config";
import {
  ALGORITHM,
  AUDIENCE,
  EXPIRED,
  ISSUER,
  KEY,
  MALFORMED,
  NO_KEYS,
  NOT_YET,
  Rejection,
  SIGNATURE,
} from "./rejection";
import { PublicKey } from "./signature";
import { Token } from "./token";

/** How far clocks may differ, in seconds. The same as in Envoy's jwt_authn filter. */
export const SKEW: f64 = 60;

/** A claim that becomes a header. */
export class ClaimHeader {
  readonly header: Key;

  constructor(
    header: string,
    readonly claim: string,
  ) {
    this.header = new Key(header);
  }
}

/** How the tokens of one issuer are verified. */
export class TokenRule {
  readonly issuer: string;
  readonly forwards: bool;
  readonly payloadHeader: Key | null;
  readonly claimHeaders: ClaimHeader[];
  readonly spaceDelimited: string[];
  private readonly audiences: string[];
  private readonly keys: PublicKey[];

  constructor(rule: JwtRule) {
    this.issuer = rule.issuer;
    this.forwards = rule.forwardOriginalToken;
    this.payloadHeader = rule.outputPayloadToHeader.length > 0 ? new Key(rule.outputPayloadToHeader) : null;
    this.claimHeaders = rule.outputClaimToHeaders.map<ClaimHeader>((to) => new ClaimHeader(to.header, to.claim));
    this.spaceDelimited = rule.spaceDelimitedClaims;
    this.audiences = rule.audiences.map<string>((audience) => bare(audience));
    this.keys = rule.keys.map<PublicKey>((key) => new PublicKey(key.kid, key.algorithms, key.spki));
  }

  /** null if the token is good; `now` in seconds. The signature comes last, because it costs the most. */
  judge(token: Token, now: f64): Rejection | null {
    if (token.claims.memberText("iss") != this.issuer) return ISSUER;
    const exp = token.claims.member("exp");
    const nbf = token.claims.member("nbf");
    if ((exp !== null && !isTime(exp)) || (nbf !== null && !isTime(nbf))) return MALFORMED;
    if (exp !== null && now > parseFloat(exp.text) + SKEW) return EXPIRED;
    if (nbf !== null && now + SKEW < parseFloat(nbf.text)) return NOT_YET;
    if (this.audiences.length > 0 && !this.isForUs(token.claims.member("aud"))) return AUDIENCE;
    return this.judgeSignature(token);
  }

  /**
   * Each key verifies its own algorithm only, whatever the token says: never "none", and a public key is never a shared
   * secret.
   */
  private judgeSignature(token: Token): Rejection | null {
    let isKnownAlgorithm = false;
    let wasTried = false;
    for (let i = 0; i < this.keys.length; i++) {
      const key = this.keys[i];
      if (!key.algorithms.includes(token.algorithm)) continue;
      isKnownAlgorithm = true;
      if (token.kid.length > 0 && key.kid.length > 0 && key.kid != token.kid) continue;
      wasTried = true;
      if (key.verifies(token)) return null;
    }
    if (wasTried) return SIGNATURE;
    if (this.keys.length == 0) return NO_KEYS;
    return isKnownAlgorithm ? KEY : ALGORITHM;
  }

  private isForUs(claim: JsonValue | null): bool {
    if (claim === null) return false;
    if (claim.kind == JsonKind.Text) return this.audiences.includes(bare(claim.text));
    if (claim.kind != JsonKind.List) return false;
    for (let i = 0; i < claim.items.length; i++) {
      const item = claim.items[i];
      if (item.kind == JsonKind.Text && this.audiences.includes(bare(item.text))) return true;
    }
    return false;
  }
}

/** RFC 7519 section 2, NumericDate. */
function isTime(value: JsonValue): bool {
  return value.kind == JsonKind.Number && isFinite(parseFloat(value.text));
}

/** Audiences are compared as Envoy's filter does: without a scheme, and without a slash at the end. */
function bare(audience: string): string {
  const from = audience.startsWith("https://") ? 8 : audience.startsWith("http://") ? 7 : 0;
  return audience.substring(from, audience.length - (audience.endsWith("/") ? 1 : 0));
}
