import type { Mesh } from "../../model/mesh.ts";
import { namespacedName } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import type { CompileOptions } from "../view/options.ts";

/** Key sets that could not be fetched. Until they can, tokens are verified by the keys that were fetched before. */
export function jwksProblems(mesh: Mesh, { fetchedKeys }: CompileOptions): readonly Problem[] {
  const problems = new Map<string, Problem>();
  for (const { meta, rules } of mesh.requestAuthentications) {
    for (const [index, { keys: source }] of rules.entries()) {
      if (source.kind === "inline") continue;
      const fetched = fetchedKeys?.get(source.url);
      if (fetched?.failure === undefined) continue;
      const meanwhile =
        fetched.keys.length > 0 ? "the keys that were fetched before stay" : "until then its tokens are rejected";
      problems.set(`${namespacedName(meta.namespace, meta.name)} ${index}`, {
        severity: "warning",
        code: "keys-not-fetched",
        origin: meta.origin,
        subject: meta,
        field: `spec.jwtRules[${index}].${source.kind === "uri" ? "jwksUri" : "issuer"}`,
        reason: `${source.url}: ${fetched.failure}; ${meanwhile}`,
        remedy:
          "See that each node can reach it, and that it answers with a JSON Web Key Set (it is asked again by and by); or put the keys into jwks.",
      });
    }
  }
  return [...problems.values()];
}
