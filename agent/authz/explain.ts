import { applicablePolicies, type PolicyScope } from "../compile/authz/applicable.ts";
import { selection } from "../compile/authz/selection.ts";
import type { Mesh } from "../model/mesh.ts";
import { namespacedName } from "../model/meta.ts";
import { principal } from "../model/spiffe-id.ts";
import type { Workload } from "../model/workload.ts";
import type { AuthzCall } from "./call.ts";
import { evaluate, type Verdict } from "./evaluate.ts";

/** What is asked for, beside who asks whom. */
export type AuthzRequest = Pick<
  AuthzCall,
  "protocol" | "port" | "sni" | "host" | "method" | "path" | "headers" | "claims"
> & {
  /** In place of the pods' own addresses, which manifests may not know. */
  readonly sourceAddress?: string | undefined;
  readonly destinationAddress?: string | undefined;
};

/** Who may call whom, by all that a mesh says. `source` undefined: somebody outside the mesh. */
export function explainCall(
  mesh: Mesh,
  scope: PolicyScope,
  source: Workload | undefined,
  destination: Workload,
  request: AuthzRequest,
): Verdict {
  if (!destination.enrolled) {
    return {
      verdict: "allowed",
      decidedBy: "",
      reason: "the destination is not in the mesh, where no policy holds",
      policies: [],
    };
  }
  const selects = selection(mesh, scope.rootNamespace);
  const broken = mesh.requestAuthentications.find((object) => object.alwaysDeny && selects(object, destination));
  const verdict = evaluate(
    applicablePolicies(mesh, scope)(destination),
    callOf(source, destination, request, scope.trustDomain),
  );
  if (broken === undefined) return verdict;
  const decidedBy = namespacedName(broken.meta.namespace, broken.meta.name);
  const reason = "the RequestAuthentication is not understood as it is written, and denies every call";
  return { ...verdict, verdict: "denied", decidedBy, reason };
}

function callOf(
  source: Workload | undefined,
  destination: Workload,
  request: AuthzRequest,
  trustDomain: string,
): AuthzCall {
  const known = source?.enrolled === true ? source : undefined;
  const namespace = known?.meta.namespace ?? "";
  return {
    ...request,
    principal: known === undefined ? "" : principal(trustDomain, namespace, known.serviceAccount),
    namespace,
    serviceAccount: known === undefined ? "" : namespacedName(namespace, known.serviceAccount),
    sourceAddress: request.sourceAddress ?? source?.addresses[0] ?? "",
    destinationAddress: request.destinationAddress ?? destination.addresses[0] ?? "",
  };
}
