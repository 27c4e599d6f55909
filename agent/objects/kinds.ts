import type { Problem } from "../model/problem.ts";
import { didYouMean } from "./did-you-mean.ts";
import { Notes } from "./notes.ts";
import type { RawObject } from "./raw-object.ts";
import { words } from "./reader.ts";

/** `group/Kind` and the versions of it that are read. */
const READ: Readonly<Record<string, readonly string[]>> = {
  "/Namespace": ["v1"],
  "/Pod": ["v1"],
  "/Service": ["v1"],
  "discovery.k8s.io/EndpointSlice": ["v1"],
  "gateway.networking.k8s.io/HTTPRoute": ["v1", "v1beta1"],
  "gateway.networking.k8s.io/ReferenceGrant": ["v1", "v1beta1"],
  "gateway.networking.x-k8s.io/XBackendTrafficPolicy": ["v1alpha1"],
  "security.istio.io/AuthorizationPolicy": ["v1", "v1beta1"],
  "security.istio.io/RequestAuthentication": ["v1", "v1beta1"],
  "security.istio.io/PeerAuthentication": ["v1", "v1beta1"],
};

/** API groups of service meshes. Ambit reports their kinds that it does not read. */
const MESH_GROUPS: ReadonlySet<string> = new Set([
  "discovery.k8s.io",
  "extensions.istio.io",
  "gateway.networking.k8s.io",
  "gateway.networking.x-k8s.io",
  "networking.istio.io",
  "security.istio.io",
  "telemetry.istio.io",
]);

/** Kinds of the core group that a mesh has no use for. */
const OTHER_CORE_KINDS: ReadonlySet<string> = new Set(
  words(`
  Binding ComponentStatus ConfigMap Endpoints Event LimitRange Node PersistentVolume PersistentVolumeClaim
  PodTemplate ReplicationController ResourceQuota Secret ServiceAccount
`),
);

const READ_KINDS = Object.keys(READ).map((key) => key.slice(key.indexOf("/") + 1));

/** The group of a kind that Ambit reads, if `group` looks like a misspelling of it. */
function groupMeant(group: string, kind: string): string | undefined {
  const key = Object.keys(READ).find((known) => known.endsWith(`/${kind}`));
  const known = key?.slice(0, key.indexOf("/"));
  return known === undefined || known === "" ? undefined : didYouMean(group, [known]);
}

/** Does Ambit read objects of this kind and version? Reports those of service meshes that it does not read. */
export function isServedKind(object: RawObject, problems: Problem[]): boolean {
  const { group, kind, version } = object;
  const key = `${group}/${kind}`;
  const versions = Object.hasOwn(READ, key) ? READ[key] : undefined;
  if (versions?.includes(version) === true) return true;
  if (versions !== undefined) {
    new Notes(object, problems).add("error", ["apiVersion"], {
      code: "unsupported-version",
      reason: `version ${version} of ${kind} is not supported; the object is not served`,
      remedy: `Use ${versions.map((known) => (group === "" ? known : `${group}/${known}`)).join(" or ")}.`,
    });
    return false;
  }
  const meant = MESH_GROUPS.has(group) ? undefined : groupMeant(group, kind);
  if (meant !== undefined) {
    new Notes(object, problems).add("error", ["apiVersion"], {
      code: "unsupported-kind",
      reason: `there is no ${kind} in the group ${group}; the object is not served`,
      remedy: `Did you mean ${meant}?`,
    });
    return false;
  }
  if (!MESH_GROUPS.has(group) && (group !== "" || OTHER_CORE_KINDS.has(kind))) return false;
  const guess = didYouMean(kind, READ_KINDS);
  new Notes(object, problems).add("error", ["kind"], {
    code: "unsupported-kind",
    reason: `${kind} of ${object.group === "" ? "the core group" : object.group} is not supported; the object is not served`,
    remedy: guess === undefined ? "Remove it; Ambit does nothing for it." : `Did you mean ${guess}?`,
  });
  return false;
}
