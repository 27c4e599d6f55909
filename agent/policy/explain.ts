import { applicablePolicies, type PolicyScope } from "../compile/policy/applicable.ts";
import type { Mesh } from "../model/mesh.ts";
import { namespacedName } from "../model/meta.ts";
import { principal } from "../model/spiffe-id.ts";
import type { Workload } from "../model/workload.ts";
import type { AuthzCall } from "./call.ts";
import { evaluate, type Verdict } from "./evaluate.ts";
import { answerOfPeers } from "./peer-answer.ts";
import { answerOfTokens } from "./token-answer.ts";

/** A call without its source and destination. */
export type AuthzRequest = Omit<
  AuthzCall,
  "principal" | "namespace" | "serviceAccount" | "sourceAddress" | "destinationAddress"
> & {
  /** Replace the pods' own addresses, which manifests may not have. */
  readonly sourceAddress?: string | undefined;
  readonly destinationAddress?: string | undefined;
};

/** A verdict, with notes that a reader needs to understand it. */
export interface Explained extends Verdict {
  /** Each a sentence without a full stop. */
  readonly notes: readonly string[];
}

/** Decides a call by all objects of a mesh. `source` undefined: a caller outside the mesh. */
export function explainCall(
  mesh: Mesh,
  scope: PolicyScope,
  source: Workload | undefined,
  destination: Workload,
  request: AuthzRequest,
): Explained {
  const answer = (verdict: Verdict["verdict"], decidedBy: string, reason: string): Explained => ({
    verdict,
    decidedBy,
    reason,
    policies: [],
    notes: [],
  });
  if (!destination.enrolled)
    return answer("allowed", "", "the destination is not in the mesh, so no policy applies to it");
  const peers = answerOfPeers(mesh, scope.rootNamespace, source, destination, request.port);
  if (peers.refusedBy !== undefined) {
    const reason =
      "the PeerAuthentication is STRICT and the caller is outside the mesh: the proxy closes the connection";
    return answer("denied", peers.refusedBy, reason);
  }
  const token = answerOfTokens(mesh, scope.rootNamespace, destination, request);
  if (token.refusal !== undefined) return answer("denied", token.refusal.by, token.refusal.reason);
  const known = peers.isAnonymous ? undefined : source;
  const call = callOf(source, known, destination, { ...request, claims: token.claims }, scope.trustDomain);
  const notes = [peers.note, token.note].filter((note) => note !== "");
  return { ...evaluate(applicablePolicies(mesh, scope)(destination), call), notes };
}

/** `known`: the caller, if the call carries its identity. */
function callOf(
  source: Workload | undefined,
  known: Workload | undefined,
  destination: Workload,
  request: AuthzRequest,
  trustDomain: string,
): AuthzCall {
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
