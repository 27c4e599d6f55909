import { createHash } from "node:crypto";
import { compareText } from "../../lib/compare.ts";
import { namespacedName, type ObjectMeta } from "../../model/meta.ts";
import type { Mesh } from "../../model/mesh.ts";
import type { JwtRule, RequestAuthentication } from "../../model/request-authentication.ts";
import type { Workload } from "../../model/workload.ts";
import { selection } from "../policy/selection.ts";
import type { CompileOptions } from "../view/options.ts";
import type { FilterJwtRule } from "./filter-config.ts";
import type { PlaceConfig } from "./filter-extensions.ts";
import type { PartCheck } from "./part-check.ts";

/** What RequestAuthentications say about one workload. */
export interface WorkloadTokens {
  /** Names of the objects that select it. */
  readonly names: readonly string[];
  /** Those of them that could not be read. */
  readonly refused: readonly string[];
  /** Ids of their rules. */
  readonly rules: readonly string[];
  /** One of the objects. */
  readonly subject: ObjectMeta | undefined;
}

export interface JwtRules {
  of(workload: Workload): WorkloadTokens;
  /** The rule with this id removes the token from the request (`forwardOriginalToken: false`). */
  readonly takesAway: (id: string) => boolean;
  readonly rules: readonly FilterJwtRule[];
}

const NONE: WorkloadTokens = { names: [], refused: [], rules: [], subject: undefined };

/** The rules of all objects, each once. A workload has the rules of all objects that select it. */
export function jwtRules(
  mesh: Mesh,
  options: Pick<CompileOptions, "rootNamespace" | "fetchedKeys">,
  check: PartCheck,
): JwtRules {
  const selects = selection(mesh, options.rootNamespace);
  const compiled = readable(
    mesh.requestAuthentications.map((object) => ({
      object,
      rules: object.rules.map((rule) => filterRule(rule, options.fetchedKeys)),
    })),
    check,
  );
  const rules = new Map(compiled.flatMap((each) => each.rules.map((rule) => [rule.id, rule] as const)));
  return {
    takesAway: (id) => rules.get(id)?.forwardOriginalToken === false,
    of(workload) {
      if (compiled.length === 0) return NONE;
      const own = compiled.filter(
        ({ object, rules: some }) => (some.length > 0 || object.alwaysDeny) && selects(object, workload),
      );
      return {
        names: [...new Set(own.map(({ object }) => nameOf(object)))],
        refused: [...new Set(own.filter(({ object }) => object.alwaysDeny).map(({ object }) => nameOf(object)))],
        rules: [...new Set(own.flatMap((each) => each.rules.map(({ id }) => id)))],
        subject: own.find(({ object: { meta } }) => meta.namespace === workload.meta.namespace)?.object.meta,
      };
    },
    rules: [...rules.values()].toSorted((a, b) => compareText(a.id, b.id)),
  };
}

interface Compiled {
  readonly object: RequestAuthentication;
  readonly rules: readonly FilterJwtRule[];
}

/** A rule that the filters refuse has no keys, so that its tokens are rejected; or else its object denies every call. */
function readable(all: readonly Compiled[], check: PartCheck): readonly Compiled[] {
  const written = all.map(({ object, rules }) => rules.map((told) => ({ told, by: object.meta })));
  const refused = check.refused(written.flat(), alone);
  if (refused.size === 0) return all;
  const instead = new Map([...refused.keys()].map((part) => [part, { ...part, told: withoutKeys(part.told) }]));
  const refusedAgain = check.refused([...instead.values()], alone);
  return all.map(({ object }, index): Compiled => {
    const parts = written[index] ?? [];
    let { alwaysDeny } = object;
    const rules = parts.flatMap((part) => {
      const reason = refused.get(part);
      const other = instead.get(part);
      if (reason === undefined || other === undefined) return [part.told];
      const isGone = refusedAgain.has(other);
      check.report(object.meta, reason, isGone ? "the pods that it selects refuse every call" : TOKENS_REJECTED);
      if (isGone) alwaysDeny = true;
      return isGone ? [] : [other.told];
    });
    return { object: { ...object, alwaysDeny }, rules };
  });
}

const TOKENS_REJECTED = "the tokens of one of its rules are rejected";

/** With a set that names them, so that the filters prepare them, too. */
function alone(rules: readonly FilterJwtRule[]): Pick<PlaceConfig, "policySets" | "jwtRules"> {
  return { policySets: [{ id: "", policies: [], jwtRules: rules.map(({ id }) => id) }], jwtRules: rules };
}

function nameOf({ meta }: RequestAuthentication): string {
  return namespacedName(meta.namespace, meta.name);
}

function filterRule(written: JwtRule, fetched: CompileOptions["fetchedKeys"]): FilterJwtRule {
  const source = written.keys;
  const known = source.kind === "inline" ? source.keys : (fetched?.get(source.url)?.keys ?? []);
  // Exactly the fields that the filters read.
  const rule = {
    issuer: written.issuer,
    audiences: written.audiences,
    fromHeaders: written.fromHeaders.map(({ name, prefix }) => ({ name, prefix })),
    fromParams: written.fromParams,
    fromCookies: written.fromCookies,
    outputPayloadToHeader: written.outputPayloadToHeader,
    outputClaimToHeaders: written.outputClaimToHeaders.map(({ header, claim }) => ({ header, claim })),
    forwardOriginalToken: written.forwardOriginalToken,
    spaceDelimitedClaims: written.spaceDelimitedClaims,
  };
  const keys = known.map(({ kid, algorithms, spki }) => ({ kid, algorithms, spki }));
  return { id: hashOf([rule, keys]), ...rule, keys };
}

function withoutKeys(written: FilterJwtRule): FilterJwtRule {
  const rule = { ...written, keys: [] };
  return { ...rule, id: hashOf(rule) };
}

function hashOf(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);
}
