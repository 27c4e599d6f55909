import type { AuthorizationPolicy, PolicyRule } from "../../model/authorization-policy.ts";
import type { Limits } from "../../model/limits.ts";
import type { ObjectMeta } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import { readRule } from "./rule.ts";
import { oldestFirst } from "../oldest-first.ts";
import { readPolicyTargets, readSelector } from "../policy-targets.ts";
import type { RawObject } from "../raw-object.ts";
import { Reader } from "../reader.ts";
import type { ReadService } from "../service.ts";
import { Tally } from "../tally.ts";

const DRY_RUN = "istio.io/dry-run";

/**
 * security.istio.io AuthorizationPolicies. A policy with a part that the reader does not understand refuses every call
 * (`alwaysDeny`), ALLOW and DENY alike: Ambit must never silently enforce less than the policy asks for.
 */
export function readAuthorizationPolicies(
  objects: readonly RawObject[],
  services: readonly ReadService[],
  limits: Limits,
  problems: Problem[],
): readonly AuthorizationPolicy[] {
  const tally = new Tally("policies", "bytes", limits);
  return oldestFirst(objects, problems).flatMap(({ object, notes, meta }) => {
    const before = notes.errors;
    const over = tally.addSpec(meta.namespace, object);
    if (over !== undefined) notes.add("error", ["spec"], { ...over, reason: `${over.reason}: it denies every call` });
    // Strict: a field without a value is an error. A `from:` with nothing behind it would let everybody in.
    return readPolicy(new Reader(object.value, notes, { strict: true }), meta, services, { before, isOver: !!over });
  });
}

/**
 * `before`: the errors of the object that do not concern what it says. `isOver`: it exceeds the limit, so that its rules have no
 * effect; they may be millions, and are not read.
 */
function readPolicy(
  root: Reader,
  meta: ObjectMeta,
  services: readonly ReadService[],
  { before, isOver }: { readonly before: number; readonly isOver: boolean },
): readonly AuthorizationPolicy[] {
  const { notes } = root;
  root.fields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const spec = root.field("spec").fields(["selector", "rules", "action", "provider", "targetRef", "targetRefs"]);
  const action = readAction(spec.field("action"));
  const dryRun = readDryRun(root.field("metadata").field("annotations").field(DRY_RUN));
  const selector = spec.field("selector");
  const targets = readPolicyTargets(spec, meta, services) ?? [readSelector(selector)];
  const written = isOver ? [] : spec.field("rules").items();
  const rules: readonly PolicyRule[] = written.map((rule) => readRule(rule, meta.namespace));
  if (action !== "ALLOW" && !spec.field("rules").present) {
    spec.field("rules").warning({
      code: "policy-without-rules",
      reason: `a policy of action ${action} without rules matches no call`,
      remedy: "Add `rules: [{}]` to match every call.",
    });
  }
  const alwaysDeny = notes.errors !== before;
  // AUDIT and dry runs never decide, so they must not deny either. The errors are already reported.
  if (alwaysDeny && (dryRun || action === "AUDIT")) return [];
  return [{ meta, action, dryRun, targets, rules: alwaysDeny ? [] : rules, alwaysDeny }];
}

/** Reports an action that Ambit does not support. The error makes the policy deny. */
function readAction(field: Reader): AuthorizationPolicy["action"] {
  const action = field.oneOf(["ALLOW", "DENY", "AUDIT", "CUSTOM"]);
  if (action === "CUSTOM") {
    const reason = "CUSTOM is not supported; the policy denies every call to the Pods it selects";
    field.invalid("unsupported-action", reason, "Use ALLOW or DENY.");
  }
  if (action === "CUSTOM" || (action === undefined && field.raw !== undefined)) return "DENY";
  return action ?? "ALLOW";
}

/** A value that is neither true nor false makes no dry run: Ambit enforces the policy, as Istio does. */
function readDryRun(field: Reader): boolean {
  const text = typeof field.raw === "boolean" ? String(field.raw) : field.string();
  // Istio reads the annotation with Go's strconv.ParseBool.
  if (text !== undefined && /^(1|t|T|TRUE|true|True)$/u.test(text)) return true;
  if (text !== undefined && !/^(0|f|F|FALSE|false|False)$/u.test(text)) {
    field.warning({
      code: "invalid-value",
      reason: `${JSON.stringify(text)} is neither "true" nor "false": the policy is enforced`,
      remedy: 'Write "true" for a dry run.',
    });
  }
  return false;
}
