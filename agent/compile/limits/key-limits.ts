import { DEFAULT_LIMITS, limitReached } from "../../model/limits.ts";
import type { Mesh } from "../../model/mesh.ts";
import { compareAge } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import type { JwtRule, RequestAuthentication } from "../../model/request-authentication.ts";
import type { FetchedKeys } from "../../model/verification-key.ts";
import type { CompileOptions } from "../view/options.ts";

export interface LimitedKeys {
  /** The mesh, in which rules that exceed the limit have no keys; the same object where none does. */
  readonly mesh: Mesh;
  readonly problems: readonly Problem[];
}

/**
 * Each rule for tokens brings its keys into the filters' configuration. Inline keys are as large as the object that has them;
 * fetched ones are hundreds of kilobytes for a line of text, as large as a server of the tenant likes. So the fetched keys of a
 * namespace have a limit. The oldest objects come first. A rule beyond the limit has no keys, and its tokens are rejected.
 */
export function limitFetchedKeys(
  mesh: Mesh,
  { fetchedKeys, limits = DEFAULT_LIMITS }: Pick<CompileOptions, "fetchedKeys" | "limits">,
): LimitedKeys {
  if (fetchedKeys === undefined || fetchedKeys.size === 0) return { mesh, problems: [] };
  const sizeOf = keySetSizes(fetchedKeys);
  const used = new Map<string, number>();
  const counted = new Set<string>();
  const problems: Problem[] = [];
  const limited = new Map<RequestAuthentication, readonly JwtRule[]>();
  for (const object of mesh.requestAuthentications.toSorted((a, b) => compareAge(a.meta, b.meta))) {
    const { namespace } = object.meta;
    const rules = object.rules.map((rule, index): JwtRule => {
      const size = sizeOf(rule);
      if (size === 0) return rule;
      // The filters get equal rules once.
      const key = `${namespace} ${JSON.stringify(rule)}`;
      const before = used.get(namespace) ?? 0;
      if (counted.has(key)) return rule;
      if (before + size <= limits.keys) {
        used.set(namespace, before + size);
        counted.add(key);
        return rule;
      }
      problems.push(problemOf(object, index, { size, before, limit: limits.keys }));
      return { ...rule, keys: NO_KEYS };
    });
    if (rules.some((rule, index) => rule !== object.rules[index])) limited.set(object, rules);
  }
  if (limited.size === 0) return { mesh, problems: [] };
  const requestAuthentications = mesh.requestAuthentications.map((object) => {
    const rules = limited.get(object);
    return rules === undefined ? object : { ...object, rules };
  });
  return { mesh: { ...mesh, requestAuthentications }, problems };
}

const NO_KEYS = { kind: "inline", keys: [] } as const;

/** Bytes of JSON of the keys that a rule brings. Very many rules may name one key set. */
function keySetSizes(fetched: ReadonlyMap<string, FetchedKeys>): (rule: JwtRule) => number {
  const known = new Map<string, number>();
  return ({ keys: source }) => {
    if (source.kind === "inline") return 0;
    const { keys = [] } = fetched.get(source.url) ?? {};
    if (keys.length === 0) return 0;
    const size = known.get(source.url) ?? Buffer.byteLength(JSON.stringify(keys));
    known.set(source.url, size);
    return size;
  };
}

function problemOf(
  { meta, rules }: RequestAuthentication,
  index: number,
  { size, before, limit }: { readonly size: number; readonly before: number; readonly limit: number },
): Problem {
  const source = rules[index]?.keys;
  return limitReached(meta, {
    field: `spec.jwtRules[${index}].${source?.kind === "discovery" ? "issuer" : "jwksUri"}`,
    reason:
      `its fetched keys are ${size} bytes; older rules of the namespace ${meta.namespace} use ${before}, and the limit for a ` +
      `namespace is ${limit}: its tokens are rejected`,
    remedy: "Let the issuer publish fewer keys, remove rules, or raise the limit: --limits keys=NUMBER of every agent.",
  });
}
