import { familyOf, IP_FAMILIES, type IpFamily } from "../../../agent/lib/ip-address.ts";
import { IP_FAMILY_NAMES, ipFamilyNamed } from "../../../agent/objects/ip-family.ts";
import { checkNames } from "../../../agent/objects/object-meta.ts";
import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import { readServicePort, readServiceSpec, type WrittenServicePort } from "../../../agent/objects/service.ts";
import { hasIPv6 } from "../network/address-plan.ts";
import { asObject } from "../pod-spec/pod-plan.ts";
import { warnOfUnsupported } from "../pod-spec/unsupported.ts";

export interface ServicePlan {
  readonly namespace: string;
  readonly name: string;
  readonly kind: "ClusterIP" | "Headless" | "ExternalName";
  readonly externalName: string | undefined;
  /** Its address families, the primary one first. */
  readonly families: readonly IpFamily[];
  /** Addresses in the manifest. */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly WrittenServicePort[];
  /** undefined: the manifests hold its EndpointSlices. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly publishNotReady: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly rawSpec: Readonly<Record<string, unknown>>;
}

const FIELDS = [
  ...["type", "clusterIP", "clusterIPs", "ports", "selector", "ipFamilies", "ipFamilyPolicy"],
  ...["publishNotReadyAddresses", "externalName", "internalTrafficPolicy"],
];

/** core/v1 Service: its spec as the mesh reads it, and what only a cluster does with it. */
export function readServicePlan(root: Reader, object: RawObject): ServicePlan {
  const spec = root.field("spec").required();
  warnOfUnsupported(spec, FIELDS);
  checkNames(root, object, "label");
  const { type, headless, clusterIPs, selector, publishNotReady } = readServiceSpec(spec);
  if (type === "NodePort" || type === "LoadBalancer") {
    spec.field("type").warning({
      code: "lab-unsupported-field",
      reason: `the lab gives a Service of type ${type} its clusterIP only`,
      remedy: "Reach it by its clusterIP or its name.",
    });
  }
  const ports = spec.field("ports");
  const several = ports.items().length > 1;
  return {
    namespace: object.namespace,
    name: object.name,
    kind: type === "ExternalName" ? "ExternalName" : headless ? "Headless" : "ClusterIP",
    externalName: type === "ExternalName" ? spec.field("externalName").required().string() : undefined,
    families: readFamilies(spec, clusterIPs),
    clusterIPs,
    ports: ports.list((entry) => {
      warnOfUnsupported(entry, ["name", "port", "targetPort", "protocol", "appProtocol"]);
      return readServicePort(entry, several);
    }),
    selector: Object.keys(selector).length > 0 ? selector : undefined,
    publishNotReady,
    metadata: asObject(object.value["metadata"]),
    rawSpec: asObject(spec.raw),
  };
}

/** As in Kubernetes: ipFamilies and ipFamilyPolicy decide; without them IPv4 alone. */
function readFamilies(spec: Reader, clusterIPs: readonly string[]): readonly IpFamily[] {
  const said = spec
    .field("ipFamilies")
    .list((field) => field.oneOf(IP_FAMILY_NAMES))
    .map(ipFamilyNamed);
  const policy = spec.field("ipFamilyPolicy").oneOf(["SingleStack", "PreferDualStack", "RequireDualStack"]);
  const start = said.length > 0 ? said : clusterIPs.length > 0 ? clusterIPs.map(familyOf) : [4 as const];
  const dual = policy === "PreferDualStack" || policy === "RequireDualStack";
  const families = [...new Set(dual ? [...start, ...IP_FAMILIES] : start)];
  return hasIPv6() ? families : families.filter((family) => family === 4);
}
