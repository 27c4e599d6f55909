import type { MeshOptions } from "../model/mesh-options.ts";
import { isEnrolled } from "../model/enrollment.ts";
import type { Workload } from "../model/workload.ts";
import { canonicalAddress } from "../lib/ip-address.ts";
import { isDnsSubdomain, isUid } from "./valid-names.ts";
import { readMeta } from "./object-meta.ts";
import { readContainerPorts, readProbePorts } from "./container-ports.ts";
import type { RawObject } from "./raw-object.ts";
import { words, type Reader } from "./reader.ts";
import { workloadName } from "./workload-name.ts";

/** A Pod, with what only the endpoints of Services need. */
export interface ReadPod {
  readonly workload: Workload;
  /** Its condition Ready; a Pod that has no conditions counts as ready. */
  readonly ready: boolean;
  /** It is being deleted. */
  readonly ending: boolean;
}

/** core/v1 Pod. `namespaceLabels`: of its Namespace, empty where that is not known. */
export function readPod(
  root: Reader,
  object: RawObject,
  namespaceLabels: Readonly<Record<string, string>>,
  options: MeshOptions,
): ReadPod | undefined {
  const meta = readMeta(root, object);
  if (meta === undefined) return undefined;
  const metadata = root.field("metadata");
  const spec = root.field("spec").fields(POD_SPEC_FIELDS, "warning");
  const status = root.field("status");
  const phase = status.field("phase").string();
  const terminated = phase === "Succeeded" || phase === "Failed";
  // Addresses of a Pod that has ended may belong to another one by now.
  const addresses = terminated ? [] : readAddresses(status);
  const hostNetwork = spec.field("hostNetwork").boolean() ?? false;
  const asked = isEnrolled(meta.labels, namespaceLabels, options.enrollmentLabel);
  const ports = readContainerPorts(spec);
  const workload: Workload = {
    meta,
    uid: metadata.field("uid").parsed((text) => (isUid(text) ? text : undefined), "a UID", UID_REMEDY) ?? ownUid(meta),
    node: readNodeName(spec),
    addresses,
    serviceAccount: readServiceAccount(spec),
    workloadName: workloadName(metadata, meta.name, meta.labels),
    ports,
    probePorts: readProbePorts(spec),
    hostNetwork,
    enrolled: asked && !hostNetwork && !terminated,
    terminated,
  };
  return { workload, ready: readReady(status), ending: typeof metadata.field("deletionTimestamp").raw === "string" };
}

const POD_SPEC_FIELDS = words(`
  containers initContainers ephemeralContainers volumes restartPolicy nodeName nodeSelector serviceAccountName
  serviceAccount automountServiceAccountToken hostNetwork hostPID hostIPC hostUsers hostAliases hostname
  hostnameOverride subdomain setHostnameAsFQDN dnsPolicy dnsConfig affinity tolerations schedulerName
  schedulingGates priority priorityClassName preemptionPolicy topologySpreadConstraints securityContext
  imagePullSecrets runtimeClassName terminationGracePeriodSeconds activeDeadlineSeconds shareProcessNamespace
  readinessGates overhead enableServiceLinks os resourceClaims resources workloadRef schedulingGroup
`);

const UID_REMEDY = "Leave it out, or write at most 128 letters, digits, hyphens, underscores and dots.";

/** Replaces the UID if no API server gave one. Namespaces hold no dot, so the text is unique. */
function ownUid(meta: { readonly namespace: string; readonly name: string }): string {
  return `${meta.namespace}.${meta.name}`;
}

function nodeName(text: string): string | undefined {
  return text === "" || isDnsSubdomain(text) ? text : undefined;
}

function readAddresses(status: Reader): readonly string[] {
  const read = (field: Reader): string | undefined =>
    field.raw === "" ? undefined : field.parsed(canonicalAddress, "an IP address", "Write an IPv4 or IPv6 address.");
  const list = status.field("podIPs").list((entry) => read(entry.field("ip").required()));
  if (list.length > 0) return [...new Set(list)];
  const single = read(status.field("podIP"));
  return single === undefined ? [] : [single];
}

/** The Node of a Pod's spec; "" where it names none. */
export function readNodeName(spec: Reader): string {
  return spec.field("nodeName").parsed(nodeName, "a node's name", "Write the name of a Node.") ?? "";
}

/** The ServiceAccount of a Pod's spec; "default" where it names none. */
export function readServiceAccount(spec: Reader): string {
  const read = (field: Reader): string =>
    field.parsed(nodeName, "a service account's name", "Write the name of a ServiceAccount.") ?? "";
  const name = read(spec.field("serviceAccountName"));
  // The older spelling of the field, which the API server still fills in.
  return name !== "" ? name : read(spec.field("serviceAccount")) || "default";
}

function readReady(status: Reader): boolean {
  const condition = status
    .field("conditions")
    .items()
    .find((entry) => entry.field("type").raw === "Ready");
  return condition === undefined || condition.field("status").string() === "True";
}
