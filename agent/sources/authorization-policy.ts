import type { AuthorizationPolicy, PolicyRule } from "../model/authorization-policy.ts";
import type { ObjectMeta } from "../model/meta.ts";
import type { Problem } from "../model/problem.ts";
import { readRule } from "./authorization-rule.ts";
import { readTargets } from "./authorization-targets.ts";
import { Notes } from "./notes.ts";
import { readLabels, readMeta } from "./object-meta.ts";
import type { RawObject } from "./raw-object.ts";
import { Reader } from "./reader.ts";
import type { ReadService } from "./service.ts";

/**
 * security.istio.io AuthorizationPolicies. Whatever of a policy is not understood makes it refuse every call
 * (`alwaysDeny`), ALLOW and DENY alike: less than what was asked for must never be let through in silence.
 */
export function readAuthorizationPolicies(
  objects: readonly RawObject[],
  services: readonly ReadService[],
  problems: Problem[],
): readonly AuthorizationPolicy[] {
  return objects.flatMap((object) => {
    const notes = new Notes(object, problems);
    const meta = readMeta(new Reader(object.value, notes), object);
    // A field without a value is not a field that was left out: `from:` with nothing behind it would let everybody in.
    return meta === undefined ? [] : readPolicy(new Reader(object.value, notes, { strict: true }), meta, services);
  });
}

function readPolicy(root: Reader, meta: ObjectMeta, services: readonly ReadService[]): readonly AuthorizationPolicy[] {
  const { notes } = root;
  const before = notes.errors;
  root.fields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const spec = root.field("spec").fields(["selector", "rules", "action", "provider", "targetRef", "targetRefs"]);
  const action = readAction(spec.field("action"));
  if (action === "AUDIT") return [];
  const targets = readTargets(spec, meta, services) ?? [readSelector(spec.field("selector"))];
  const rules: readonly PolicyRule[] = spec.field("rules").items().map(readRule);
  if (action === "DENY" && !spec.field("rules").present) {
    spec.field("rules").warning({
      code: "policy-without-rules",
      reason: "a DENY policy without rules denies nothing",
      remedy: "Add `rules: [{}]` to deny every call.",
    });
  }
  const alwaysDeny = notes.errors !== before;
  return targets.map((selector) => ({ meta, action, selector, rules: alwaysDeny ? [] : rules, alwaysDeny }));
}

/** Actions that are not supported are reported, so that the policy denies; AUDIT never decides about a call. */
function readAction(field: Reader): "ALLOW" | "DENY" | "AUDIT" {
  const action = field.oneOf(["ALLOW", "DENY", "AUDIT", "CUSTOM"]);
  if (action === "AUDIT") {
    field.invalid("unsupported-action", "AUDIT is not supported yet; the policy is not served", "Remove the policy.");
  }
  if (action === "CUSTOM") {
    const reason = "CUSTOM is not supported yet; the policy denies every call to the Pods it selects";
    field.invalid("unsupported-action", reason, "Use ALLOW or DENY.");
  }
  if (action === "CUSTOM" || (action === undefined && field.raw !== undefined)) return "DENY";
  return action ?? "ALLOW";
}

/** Pods that a policy speaks of. A selector that is not understood selects every Pod of the namespace. */
function readSelector(selector: Reader): Readonly<Record<string, string>> {
  const labels = selector.notes.unlessErrors(() => {
    selector.fields(["matchLabels"]);
    return readLabels(selector.field("matchLabels"));
  });
  return labels ?? {};
}
