import type { ObjectMeta } from "../model/meta.ts";
import type { Reader } from "./reader.ts";
import type { ReadService } from "./service.ts";

type Selector = Readonly<Record<string, string>>;

/** Istio and other implementations put it on the Pods of a Gateway that they deploy. */
const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";

/**
 * Pods behind a policy's targetRefs, one selector for each; undefined where there are none. They are not supported yet,
 * which is reported; knowing the Pods keeps a policy for one Gateway from denying the calls of a whole mesh.
 */
export function readTargets(
  spec: Reader,
  meta: ObjectMeta,
  services: readonly ReadService[],
): readonly Selector[] | undefined {
  const single = spec.field("targetRef");
  const list = spec.field("targetRefs");
  if (single.raw === undefined && list.raw === undefined) return undefined;
  const refs = single.raw === undefined ? list.items() : [single, ...list.items()];
  (single.raw === undefined ? list : single).invalid(
    "unsupported-field",
    "target references are not supported yet; the policy denies every call to its targets",
    "Select Pods by spec.selector.matchLabels.",
  );
  const selectors = refs.map((ref): Selector => {
    const kind = ref.field("kind").string();
    const name = ref.field("name").string();
    if (kind === "Gateway" && name !== undefined) return { [GATEWAY_NAME_LABEL]: name };
    const target = services.find(
      ({ service }) => kind === "Service" && service.meta.namespace === meta.namespace && service.meta.name === name,
    );
    return target?.selector ?? {};
  });
  return selectors.length === 0 ? [{}] : selectors;
}
