import type { PolicyAttribute, PolicyCondition } from "../model/authorization-policy.ts";

export type RulePart = "from" | "to" | "when";

/** Istio's names for the fields of sources and operations. */
const FIELDS: Partial<Record<PolicyAttribute, string>> = {
  "source.principal": "Principals",
  "source.namespace": "Namespaces",
  "source.serviceAccount": "ServiceAccounts",
  "source.ip": "IpBlocks",
  "remote.ip": "RemoteIpBlocks",
  "request.auth.principal": "RequestPrincipals",
  "request.host": "Hosts",
  "request.method": "Methods",
  "request.path": "Paths",
  "destination.port": "Ports",
};

/** The path to a condition, spelled as in the policy. `at` is the path to the rule, or to the entry of its `from` or `to`. */
export function fieldName(
  { attribute, path }: PolicyCondition,
  place: RulePart,
  at: string,
  index: number,
  negated: boolean,
): string {
  if (place === "when") {
    const key = `${attribute}${path.map((name) => `[${name}]`).join("")}`;
    return `${at}.when[${index}].${negated ? "notValues" : "values"} (${key})`;
  }
  const field = FIELDS[attribute] ?? attribute;
  const spelled = negated ? `not${field}` : `${field.charAt(0).toLowerCase()}${field.slice(1)}`;
  return `${at}.${place === "from" ? "source" : "operation"}.${spelled}`;
}
