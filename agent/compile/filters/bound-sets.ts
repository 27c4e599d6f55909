import { limitReached } from "../../model/limits.ts";
import type { ObjectMeta } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import type { FilterJwtRule, FilterPolicy, FilterPolicySet } from "./filter-config.ts";
import { mustGo, type Sharer } from "./must-go.ts";

/** A set as its objects ask for it. */
export interface WrittenSet {
  readonly id: string;
  /** Whose objects it has, beside those of the root namespace. */
  readonly namespace: string;
  /** One of its objects. */
  readonly subject: ObjectMeta | undefined;
  readonly set: FilterPolicySet;
  /** The same for connections whose bytes are not read. */
  readonly tcpSet: FilterPolicySet;
}

export interface BoundSets {
  readonly sets: ReadonlyMap<string, FilterPolicySet>;
  readonly tcpSets: readonly FilterPolicySet[];
  /** Ids of those that deny every call, as there is no room for what they say. */
  readonly refused: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Bytes of JSON that the policies and rules for tokens of all namespaces may need together. The filters refuse a whole
 * configuration of more than 8 MiB (filters/read-config.ts), and then no policy of the node changes any more. The rest is for
 * destinations (`tooOften`) and for the names of pods.
 */
const ALL_POLICIES = 4 << 20;

/** One pod's policies may be in several sets, so that what a namespace writes does not bound what its sets need. */
export function boundSets(written: readonly WrittenSet[], rules: readonly FilterJwtRule[]): BoundSets {
  const sizeOf = sizes();
  const sizeOfSet = ({ id, policies, jwtRules }: FilterPolicySet): number =>
    policies.reduce((sum, policy) => sum + sizeOf(policy), AROUND + id.length + JSON.stringify(jwtRules).length);
  const asked = written.map((each): Asked => {
    const denied = denying(each.id);
    const left = sizeOfSet(denied);
    const size = Math.max(sizeOfSet(each.set), sizeOfSet(each.tcpSet)) - left;
    return { ...each, shared: each.set.jwtRules, denied, left, size };
  });
  const room = ALL_POLICIES - asked.reduce((sum, { left }) => sum + left, 0);
  const gone = new Set(mustGo(asked, new Map(rules.map((rule) => [rule.id, sizeOf(rule)])), room));
  return {
    sets: new Map(asked.map((each) => [each.id, gone.has(each) ? each.denied : each.set])),
    tcpSets: asked.map((each) => (gone.has(each) ? each.denied : each.tcpSet)),
    refused: [...gone].map(({ id }) => id),
    problems: problemsOf(gone),
  };
}

interface Asked extends WrittenSet, Sharer {
  readonly denied: FilterPolicySet;
  /** What it takes in any case. */
  readonly left: number;
}

/** Of what a set has beside its policies. */
const AROUND = '{"id":"","policies":[],"jwtRules":},'.length;

/** Bytes of JSON. Very many sets may have the same parts. */
function sizes(): (part: FilterPolicy | FilterJwtRule) => number {
  const known = new Map<unknown, number>();
  return (part) => {
    const size = known.get(part) ?? Buffer.byteLength(JSON.stringify(part)) + 1;
    known.set(part, size);
    return size;
  };
}

function denying(id: string): FilterPolicySet {
  return { id, policies: [TOO_LARGE], jwtRules: [] };
}

const TOO_LARGE: FilterPolicy = {
  name: "policies_too_large",
  action: "DENY",
  dryRun: false,
  alwaysDeny: true,
  rules: [],
};

/** One for each object, however many sets it is in. */
function problemsOf(gone: ReadonlySet<Asked>): readonly Problem[] {
  const found = new Map<ObjectMeta, Problem>();
  for (const { subject, size, left, namespace } of gone) {
    if (subject === undefined || found.has(subject)) continue;
    const problem = limitReached(subject, {
      field: "spec",
      reason:
        `with the other policies and rules for tokens of its pods it needs ${size + left} bytes. All namespaces together need ` +
        `more than ${ALL_POLICIES}, and ${namespace} needs the most: these pods refuse every call`,
      remedy: "Make these policies smaller, or let fewer pods have different policies.",
    });
    found.set(subject, problem);
  }
  return [...found.values()];
}
