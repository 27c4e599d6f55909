import { createHash } from "node:crypto";
import { compareText } from "../../lib/compare.ts";
import { namespacedName, type ObjectMeta } from "../../model/meta.ts";
import type { Mesh } from "../../model/mesh.ts";
import type { JwtRule, RequestAuthentication } from "../../model/request-authentication.ts";
import type { Workload } from "../../model/workload.ts";
import { selection } from "../policy/selection.ts";
import type { CompileOptions } from "../view/options.ts";
import type { FilterJwtRule } from "./filter-config.ts";

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
export function jwtRules(mesh: Mesh, options: Pick<CompileOptions, "rootNamespace" | "fetchedKeys">): JwtRules {
  const selects = selection(mesh, options.rootNamespace);
  const compiled = mesh.requestAuthentications.map((object) => ({
    object,
    rules: object.rules.map((rule) => filterRule(rule, options.fetchedKeys)),
  }));
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
  const hash = createHash("sha256").update(JSON.stringify([rule, keys]));
  return { id: hash.digest("hex").slice(0, 32), ...rule, keys };
}
