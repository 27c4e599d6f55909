import { copyOf } from "../../../assembly/index";
import { areEqual, hashOf } from "../../bytes";
import { RequestIdentity } from "../request-identity";
import { identityOf } from "./identity";
import { OutputHeader, outputsOf } from "./outputs";
import { SKEW, TokenRule } from "./rule";
import { Token } from "./token";

/** A token that its issuer has signed, and its claims. */
export class VerifiedToken {
  readonly bytes: ArrayBuffer;
  readonly identity: RequestIdentity;
  readonly outputs: OutputHeader[];
  /** When the token expires, in seconds since 1970. */
  private readonly until: f64;

  constructor(
    start: usize,
    size: usize,
    token: Token,
    readonly rule: TokenRule,
  ) {
    this.bytes = copyOf(start, size);
    this.identity = identityOf(token.claims, rule);
    this.outputs = outputsOf(token, rule);
    const exp = token.claims.member("exp");
    this.until = exp === null ? Infinity : parseFloat(exp.text) + SKEW;
  }

  isGood(now: f64): bool {
    return now <= this.until;
  }
}

const SLOTS = 1024;
/** Bytes of tokens. Everything that the module keeps for a token takes about four times as much. */
const MAX_BYTES: usize = 2 << 20;

/**
 * Tokens that have been verified before. A slot holds the newest token of its hash: a client with two tokens of one hash only
 * makes the module verify them each time. Tokens without a valid signature never come here.
 */
class VerifiedTokens {
  private readonly slots: StaticArray<VerifiedToken | null> = new StaticArray<VerifiedToken | null>(SLOTS);
  private bytes: usize = 0;

  find(start: usize, size: usize, rules: TokenRule[], now: f64): VerifiedToken | null {
    const known = this.slots[hashOf(start, size) & (SLOTS - 1)];
    if (known === null || <usize>known.bytes.byteLength != size) return null;
    if (!areEqual(changetype<usize>(known.bytes), start, size)) return null;
    // Another rule has other keys, or wants another audience.
    return known.isGood(now) && rules.includes(known.rule) ? known : null;
  }

  add(token: VerifiedToken): void {
    if (this.bytes > MAX_BYTES) this.clear();
    const size = <usize>token.bytes.byteLength;
    const slot = hashOf(changetype<usize>(token.bytes), size) & (SLOTS - 1);
    const before = this.slots[slot];
    if (before !== null) this.bytes -= before.bytes.byteLength;
    this.slots[slot] = token;
    this.bytes += size;
  }

  clear(): void {
    for (let i = 0; i < SLOTS; i++) this.slots[i] = null;
    this.bytes = 0;
  }
}

export const verifiedTokens = new VerifiedTokens();
