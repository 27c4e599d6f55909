import { applicablePolicies, type PolicyScope } from "../compile/policy/applicable.ts";
import { canonicalAddress } from "../lib/ip-address.ts";
import type { Mesh } from "../model/mesh.ts";
import { namespacedName } from "../model/meta.ts";
import { principal } from "../model/spiffe-id.ts";
import type { Workload } from "../model/workload.ts";
import type { AuthzCall, CallerIdentity } from "./call.ts";
import { evaluate, type Verdict } from "./evaluate.ts";
import { answerOfPeers } from "./peer-answer.ts";
import { answerOfTokens } from "./token-answer.ts";

/** A call without its source and destination. */
export type AuthzRequest = Omit<
  AuthzCall,
  "principal" | "namespace" | "serviceAccount" | "owner" | "sourceAddress" | "destinationAddress"
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
  const owner = ownerOf(mesh, source, request.sourceAddress);
  const call = callOf(source, known, owner, destination, { ...request, claims: token.claims }, scope.trustDomain);
  const notes = [peers.note, token.note].filter((note) => note !== "");
  return { ...evaluate(applicablePolicies(mesh, scope)(destination), call), notes };
}

/** `known`: the caller, if the call carries its identity. `owner`: the pod that has its address. */
function callOf(
  source: Workload | undefined,
  known: Workload | undefined,
  owner: Workload | undefined,
  destination: Workload,
  request: AuthzRequest,
  trustDomain: string,
): AuthzCall {
  return {
    ...request,
    ...(known === undefined ? NOBODY : identityOf(known, trustDomain)),
    owner: known !== undefined || owner === undefined ? undefined : identityOf(owner, trustDomain),
    sourceAddress: request.sourceAddress ?? source?.addresses[0] ?? "",
    destinationAddress: request.destinationAddress ?? destination.addresses[0] ?? "",
  };
}

const NOBODY: CallerIdentity = { principal: "", namespace: "", serviceAccount: "" };

function identityOf({ meta, serviceAccount }: Workload, trustDomain: string): CallerIdentity {
  return {
    principal: principal(trustDomain, meta.namespace, serviceAccount),
    namespace: meta.namespace,
    serviceAccount: namespacedName(meta.namespace, serviceAccount),
  };
}

/** The pod of the mesh that has the caller's address. */
function ownerOf(mesh: Mesh, source: Workload | undefined, address: string | undefined): Workload | undefined {
  if (address === undefined) return source?.enrolled === true ? source : undefined;
  const same = canonicalAddress(address) ?? address;
  return mesh.workloads.find(
    ({ enrolled, terminated, addresses }) => enrolled && !terminated && addresses.includes(same),
  );
}
