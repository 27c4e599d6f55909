import { JwtRule } from "../../config";
import { Locations } from "./locations";
import { TokenRule } from "./rule";

const MAX_KNOWN = 1000;
/**
 * Rules by ID. The ID is a hash of the whole rule, so that a rule and its verified tokens outlive a change of
 * configuration.
 */
const known = new Map<string, TokenRule>();

function ruleOf(config: JwtRule): TokenRule {
  if (known.has(config.id)) return known.get(config.id);
  if (known.size >= MAX_KNOWN) known.clear();
  const rule = new TokenRule(config);
  known.set(config.id, rule);
  return rule;
}

/** The rules by which a destination's tokens are verified. */
export class TokenRules {
  readonly locations: Locations = new Locations();
  /** Names of headers that only a verified token may fill. */
  private readonly outputs: ArrayBuffer[] = [];

  constructor(rules: JwtRule[]) {
    for (let i = 0; i < rules.length; i++) {
      this.locations.add(ruleOf(rules[i]), rules[i]);
      this.addOutput(rules[i].outputPayloadToHeader);
      const claims = rules[i].outputClaimToHeaders;
      for (let j = 0; j < claims.length; j++) this.addOutput(claims[j].header);
    }
  }

  private addOutput(name: string): void {
    if (name.length > 0) this.outputs.push(String.UTF8.encode(name));
  }

  isOutput(name: usize, size: usize): bool {
    for (let i = 0; i < this.outputs.length; i++) {
      const output = this.outputs[i];
      if (<usize>output.byteLength == size && isSameHeader(changetype<usize>(output), name, size)) return true;
    }
    return false;
  }
}

/** Many applications read - and _ in a header's name as the same character. */
function isSameHeader(a: usize, b: usize, size: usize): bool {
  for (let i: usize = 0; i < size; i++) if (folded(load<u8>(a + i)) != folded(load<u8>(b + i))) return false;
  return true;
}

function folded(code: u8): u8 {
  return code == 0x5f ? 0x2d : code;
}
