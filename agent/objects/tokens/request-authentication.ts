import type { Limits } from "../../model/limits.ts";
import type { ObjectMeta } from "../../model/meta.ts";
import type { Problem } from "../../model/problem.ts";
import type { RequestAuthentication } from "../../model/request-authentication.ts";
import { readJwtRule } from "./jwt-rule.ts";
import { oldestFirst } from "../oldest-first.ts";
import { readPolicyTargets, readSelector } from "../policy-targets.ts";
import type { RawObject } from "../raw-object.ts";
import { Reader } from "../reader.ts";
import type { ReadService } from "../service.ts";
import { Tally } from "../tally.ts";

/**
 * security.istio.io RequestAuthentications. If the reader does not understand a part of one, the Pods that it selects
 * refuse every call (`alwaysDeny`): a token must never pass without the verification that the object asks for.
 */
export function readRequestAuthentications(
  objects: readonly RawObject[],
  services: readonly ReadService[],
  limits: Limits,
  problems: Problem[],
): readonly RequestAuthentication[] {
  const tally = new Tally("tokens", "bytes", limits);
  return oldestFirst(objects, problems).map(({ object, notes, meta }) => {
    const before = notes.errors;
    const over = tally.addSpec(meta.namespace, object);
    const effect = "the Pods that it selects refuse every call";
    if (over !== undefined) notes.add("error", ["spec"], { ...over, reason: `${over.reason}: ${effect}` });
    return readObject(new Reader(object.value, notes, { strict: true }), meta, services, { before, isOver: !!over });
  });
}

/** `before`: the errors of the object that do not concern what it says. `isOver`: it exceeds the limit, and its rules are not read. */
function readObject(
  root: Reader,
  meta: ObjectMeta,
  services: readonly ReadService[],
  { before, isOver }: { readonly before: number; readonly isOver: boolean },
): RequestAuthentication {
  const { notes } = root;
  root.fields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const spec = root.field("spec").fields(["selector", "targetRef", "targetRefs", "jwtRules"]);
  const targets = readPolicyTargets(spec, meta, services) ?? [readSelector(spec.field("selector"))];
  const list = spec.field("jwtRules");
  const rules = isOver ? [] : list.list(readJwtRule);
  if (!isOver && list.items().length === 0 && (list.raw !== undefined || !list.isWritten)) {
    list.warning({
      code: "no-rules",
      reason: "without rules no token is verified",
      remedy: "Add a rule with the tokens' issuer, or remove the object.",
    });
  }
  const alwaysDeny = notes.errors !== before;
  return { meta, targets, rules: alwaysDeny ? [] : rules, alwaysDeny };
}
