import { isDnsSubdomain } from "../../../agent/objects/valid-names.ts";
import { readNodeName, readServiceAccount } from "../../../agent/objects/pod.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import { readContainer, type ContainerSpec } from "./container-spec.ts";
import { warnOfUnsupported } from "./unsupported.ts";
import { reportMounts, readVolume, type VolumeSpec } from "./volume-spec.ts";

export type RestartPolicy = "Always" | "OnFailure" | "Never";

export interface PodSpec {
  readonly initContainers: readonly ContainerSpec[];
  readonly containers: readonly ContainerSpec[];
  readonly volumes: readonly VolumeSpec[];
  readonly restartPolicy: RestartPolicy;
  /** "" leaves the choice to the scheduler. */
  readonly nodeName: string;
  readonly serviceAccount: string;
  /** A name of its own below a headless Service: `hostname.subdomain.namespace.svc…`. */
  readonly hostname: string | undefined;
  readonly subdomain: string | undefined;
  readonly gracePeriodSeconds: number;
}

const FIELDS = [
  ...[
    "initContainers",
    "containers",
    "volumes",
    "nodeName",
    "restartPolicy",
    "serviceAccountName",
    "serviceAccount",
    "hostname",
    "subdomain",
  ],
  ...["terminationGracePeriodSeconds", "securityContext", "schedulerName", "enableServiceLinks"],
];

/**
 * Reads the spec of a Pod or of a Deployment's template. The reader notes its problems. `claims`: volumes that the pod's
 * controller adds.
 */
export function readPodSpec(spec: Reader, claims: readonly string[] = []): PodSpec {
  warnOfUnsupported(spec, FIELDS);
  const security = spec.field("securityContext");
  warnOfUnsupported(security, ["runAsUser", "runAsGroup"]);
  const read = (entry: Reader): ContainerSpec | undefined => readContainer(entry, security);
  const initContainers = spec.field("initContainers").list(read);
  const containers = spec.field("containers").required().list(read);
  const all = [...spec.field("initContainers").items(), ...spec.field("containers").items()];
  reportNames(spec.field("containers"), all);
  const volumes = spec.field("volumes").items();
  for (const container of all) reportMounts(container, volumes, claims);
  const name = (field: string): string | undefined =>
    spec.field(field).parsed((text) => (isDnsSubdomain(text) ? text : undefined), "a name", "Write a DNS name.");
  return {
    initContainers,
    containers,
    volumes: volumes.map(readVolume).filter((volume) => volume !== undefined),
    restartPolicy: spec.field("restartPolicy").oneOf(["Always", "OnFailure", "Never"]) ?? "Always",
    nodeName: readNodeName(spec),
    serviceAccount: readServiceAccount(spec),
    hostname: name("hostname"),
    subdomain: name("subdomain"),
    gracePeriodSeconds: spec.field("terminationGracePeriodSeconds").integer(0, 86_400) ?? 30,
  };
}

/** Names of containers become folders and cgroups. */
function reportNames(containers: Reader, all: readonly Reader[]): void {
  const seen = new Set<unknown>();
  for (const container of all) {
    const name = container.field("name");
    if (typeof name.raw === "string" && (!isDnsSubdomain(name.raw) || name.raw.length > 63)) {
      name.invalid("invalid-name", `'${name.raw}' cannot be a container's name`, "Use lower-case letters and digits.");
    }
    if (seen.has(name.raw)) name.invalid("duplicate-name", "another container has this name", "Change one of them.");
    seen.add(name.raw);
  }
  if (containers.present && containers.items().length === 0) {
    containers.invalid("missing-field", "the pod has no containers", "Add one.");
  }
}
