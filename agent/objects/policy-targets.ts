import type { LabelTarget, PolicyTarget } from "../model/authorization-policy.ts";
import type { ObjectMeta } from "../model/meta.ts";
import { readLabels } from "./object-meta.ts";
import { quote, type Reader } from "./reader.ts";
import type { ReadService } from "./service.ts";

/** Istio and other implementations put this label on the Pods of a Gateway that they deploy. */
const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";
/** Istio's limit. */
const MOST = 16;

/**
 * The targets that a policy's targetRefs (or the older targetRef) name; undefined if it has neither field. A Service
 * stands for the pods behind it, whether callers use its address or theirs: the caller's choice must not decide which
 * policies apply.
 */
export function readPolicyTargets(
  spec: Reader,
  meta: ObjectMeta,
  services: readonly ReadService[],
): readonly PolicyTarget[] | undefined {
  const single = spec.field("targetRef");
  const list = spec.field("targetRefs");
  if (single.raw === undefined && list.raw === undefined) return undefined;
  const refs = single.raw === undefined ? list.items() : [single, ...list.items()];
  if (spec.field("selector").raw !== undefined || (single.raw !== undefined && list.raw !== undefined)) {
    const reason = "selector, targetRef and targetRefs cannot stand together";
    spec.invalid("conflicting-fields", reason, "Keep targetRefs alone, or the selector alone.");
  }
  if (refs.length > MOST) list.invalid("too-many", `there are more than ${MOST} targets`, "Write several policies.");
  if (refs.length === 0) list.invalid("empty-value", "the list is empty", "Remove the field, or name a Service.");
  const targets = refs.flatMap((ref) => readTarget(ref, meta, services));
  // A target that the reader does not understand may be any pod of the namespace.
  return refs.length === 0 ? [{ kind: "labels", labels: {} }] : targets;
}

function readTarget(ref: Reader, meta: ObjectMeta, services: readonly ReadService[]): readonly PolicyTarget[] {
  ref.fields(["group", "kind", "name", "namespace", "sectionName"]);
  const kind = ref.field("kind").required().string();
  const name = ref.field("name").required().string();
  const group = ref.field("group").string() ?? "";
  const namespace = ref.field("namespace").string() ?? "";
  if (namespace !== "" && namespace !== meta.namespace) {
    const reason = `the target is in the namespace ${quote(namespace)}, but a policy can only target its own`;
    ref.field("namespace").invalid("cross-namespace", reason, "Put the policy into the target's namespace.");
    return [];
  }
  if (ref.field("sectionName").raw !== undefined) {
    const reason = "parts of a target are not supported; the policy denies every call to it";
    ref.field("sectionName").invalid("unsupported-field", reason, "Use to.operation.ports.");
  }
  if (kind === "Service" && (group === "" || group === "core") && name !== undefined) {
    const found = services.find(
      ({ service }) => service.meta.namespace === meta.namespace && service.meta.name === name,
    );
    if (found === undefined) {
      const reason = `there is no Service ${quote(name)} in the policy's namespace: the policy guards no pod`;
      ref
        .field("name")
        .warning({ code: "unknown-target", reason, remedy: "Name a Service that is there, or select Pods." });
    }
    return [{ kind: "service", name, labels: found?.selector ?? {} }];
  }
  ref.invalid(
    "unsupported-target",
    `a target of kind ${quote(kind ?? "")} is not supported; the policy denies every call to it`,
    "Name a Service, or select Pods by spec.selector.matchLabels.",
  );
  // Knowing the Pods keeps a policy for one Gateway from denying the calls of a whole namespace.
  if (kind === "Gateway" && name !== undefined) return [{ kind: "labels", labels: { [GATEWAY_NAME_LABEL]: name } }];
  // These kinds are no pods of the mesh, so that no pod denies calls because of them.
  return kind === "ServiceEntry" || kind === "GatewayClass" ? [] : [{ kind: "labels", labels: {} }];
}

/** The Pods that a policy selects. A selector that the reader does not understand selects every Pod of the namespace. */
export function readSelector(selector: Reader): LabelTarget {
  const labels = selector.notes.unlessErrors(() => {
    selector.fields(["matchLabels"]);
    return readLabels(selector.field("matchLabels"));
  });
  return { kind: "labels", labels: labels ?? {} };
}
