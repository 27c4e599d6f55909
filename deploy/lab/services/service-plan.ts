import { canonicalAddress, familyOf, IP_FAMILIES, type IpFamily } from "../../../agent/lib/ip-address.ts";
import { IP_FAMILY_NAMES, ipFamilyNamed } from "../../../agent/objects/ip-family.ts";
import { readLabels } from "../../../agent/objects/object-meta.ts";
import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import { hasIPv6 } from "../network/address-plan.ts";
import { asObject, requireNames } from "../pod-spec/pod-plan.ts";
import { warnOfUnsupported } from "../pod-spec/unsupported.ts";

export interface ServicePortPlan {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number | string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly appProtocol: string | undefined;
}

export interface ServicePlan {
  readonly namespace: string;
  readonly name: string;
  readonly kind: "ClusterIP" | "Headless" | "ExternalName";
  readonly externalName: string | undefined;
  /** Address families that it is served in, the first one first. */
  readonly families: readonly IpFamily[];
  /** Addresses that the manifest asks for. */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly ServicePortPlan[];
  /** undefined: somebody else writes its EndpointSlices. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly publishNotReady: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly rawSpec: Readonly<Record<string, unknown>>;
}

const FIELDS = [
  ...["type", "clusterIP", "clusterIPs", "ports", "selector", "ipFamilies", "ipFamilyPolicy"],
  ...["publishNotReadyAddresses", "externalName", "internalTrafficPolicy"],
];

/** core/v1 Service. */
export function readService(root: Reader, object: RawObject): ServicePlan {
  const spec = root.field("spec").required();
  warnOfUnsupported(spec, FIELDS);
  requireNames(root, object);
  const type = spec.field("type").oneOf(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]) ?? "ClusterIP";
  if (type === "NodePort" || type === "LoadBalancer") {
    spec.field("type").warning({
      code: "lab-unsupported-field",
      reason: `the lab gives a Service of type ${type} its clusterIP only`,
      remedy: "Reach it by its clusterIP or its name.",
    });
  }
  const headless = spec.field("clusterIP").raw === "None";
  const clusterIPs = headless ? [] : readClusterIPs(spec);
  const selector = spec.field("selector");
  return {
    namespace: object.namespace,
    name: object.name,
    kind: type === "ExternalName" ? "ExternalName" : headless ? "Headless" : "ClusterIP",
    externalName: type === "ExternalName" ? spec.field("externalName").required().string() : undefined,
    families: readFamilies(spec, clusterIPs),
    clusterIPs,
    ports: spec.field("ports").list(readPort),
    selector: selector.present && selector.entries().length > 0 ? readLabels(selector) : undefined,
    publishNotReady: spec.field("publishNotReadyAddresses").boolean() ?? false,
    metadata: asObject(object.value["metadata"]),
    rawSpec: asObject(spec.raw),
  };
}

function readClusterIPs(spec: Reader): readonly string[] {
  const read = (field: Reader): string | undefined =>
    field.raw === ""
      ? undefined
      : field.parsed(canonicalAddress, "an IP address", "Leave it out, or write an address.");
  const list = spec.field("clusterIPs").list(read);
  if (list.length > 0) return [...new Set(list)];
  const single = read(spec.field("clusterIP"));
  return single === undefined ? [] : [single];
}

/** Kubernetes: as ipFamilies and ipFamilyPolicy say; IPv4 alone where nothing is said. */
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

function readPort(entry: Reader): ServicePortPlan | undefined {
  warnOfUnsupported(entry, ["name", "port", "targetPort", "protocol", "appProtocol"]);
  const port = entry.field("port").required().port();
  const target = entry.field("targetPort");
  // 0 is what the API server stores for a targetPort that was left out.
  const targetPort = typeof target.raw === "string" ? target.raw : target.raw === 0 ? undefined : target.port();
  if (port === undefined) return undefined;
  return {
    name: entry.field("name").string() ?? "",
    port,
    targetPort: targetPort ?? port,
    protocol: entry.field("protocol").oneOf(["TCP", "UDP", "SCTP"]) ?? "TCP",
    appProtocol: entry.field("appProtocol").string() || undefined,
  };
}
