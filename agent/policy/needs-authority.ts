import { decides } from "../compile/policy/applicable.ts";
import type { AuthorizationPolicy, PolicyAttribute, PolicyCondition } from "../model/authorization-policy.ts";
import type { Mesh } from "../model/mesh.ts";
import type { ObjectMeta } from "../model/meta.ts";
import type { PeerAuthentication } from "../model/peer-authentication.ts";
import type { Problem } from "../model/problem.ts";
import { fieldName, type RulePart } from "./field-name.ts";

/** What follows for a node whose agent has no authority, and what to do about it. */
export interface WithoutAuthority {
  readonly effects: readonly string[];
  readonly remedy: string;
}

export const WITHOUT_AUTHORITY: WithoutAuthority = {
  effects: [
    "pods have no certificates",
    "calls between nodes are plaintext and carry no identity: source principals, namespaces and service accounts are unknown there",
    "ports that are STRICT refuse every call that does not come from a pod in the mesh of the same node",
  ],
  remedy: "run 'ambit authority run', and start every agent with --authority and --join-token-file",
};

/**
 * Objects that do not hold as they are written where agents run without an authority. Without one, `compile` treats every
 * port as DISABLE that is not STRICT, and a caller on another node has no identity. Calls within one node keep theirs.
 */
export function needsAuthority(mesh: Mesh): readonly Problem[] {
  return [
    ...mesh.peerAuthentications.flatMap((object) => {
      const field = strictField(object);
      return field === undefined ? [] : [problem(object.meta, field, "error", NOT_STRICT)];
    }),
    ...mesh.authorizationPolicies.filter(decides).flatMap((policy) => {
      const found = identityField(policy);
      if (found === undefined) return [];
      const reason = `${NO_IDENTITY}: this field holds for ${found.negated ? "all" : "none"} of them`;
      return [problem(policy.meta, found.field, "warning", reason)];
    }),
  ];
}

const NOT_STRICT =
  "without an authority pods have no certificates: STRICT refuses every call except those of mesh pods on the same node";
const NO_IDENTITY = "without an authority calls from other nodes carry no identity";

function strictField({ mode, ports }: PeerAuthentication): string | undefined {
  if (mode === "STRICT") return "spec.mtls.mode";
  const port = [...ports].find(([, each]) => each === "STRICT")?.[0];
  return port === undefined ? undefined : `spec.portLevelMtls[${port}].mode`;
}

const IDENTITY: readonly PolicyAttribute[] = ["source.principal", "source.namespace", "source.serviceAccount"];

/** The first field of a policy that asks for the caller's identity. */
function identityField({
  rules,
}: AuthorizationPolicy): { readonly field: string; readonly negated: boolean } | undefined {
  const found = rules.flatMap(({ from, when }, rule) => [
    ...from.flatMap((source, index) => identityFields(source, "from", `rules[${rule}].from[${index}]`)),
    ...identityFields(when, "when", `rules[${rule}]`),
  ]);
  return found[0];
}

function identityFields(conditions: readonly PolicyCondition[], place: RulePart, at: string) {
  return conditions.flatMap((condition, index) => {
    if (!IDENTITY.includes(condition.attribute)) return [];
    const negated = condition.values.length === 0;
    return [{ field: `spec.${fieldName(condition, place, at, index, negated)}`, negated }];
  });
}

function problem(meta: ObjectMeta, field: string, severity: Problem["severity"], reason: string): Problem {
  return {
    severity,
    code: "needs-authority",
    origin: meta.origin,
    subject: meta,
    field,
    reason,
    remedy: "Start the agents with --authority.",
  };
}
