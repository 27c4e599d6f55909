import { namespacedName } from "../model/meta.ts";
import type { Problem } from "../model/problem.ts";
import { outboundMode, type ServiceTarget } from "./destinations.ts";
import type { PolicySets } from "./filters/policy-sets.ts";

/** A policy that selects pods behind a TCP port cannot be decided there yet: it refuses, and says so. */
export function tcpPolicyProblems(targets: readonly ServiceTarget[], policies: PolicySets): readonly Problem[] {
  if (policies.sets.length === 0) return [];
  const problems = new Map<string, Problem>();
  for (const { service, port, backends } of targets) {
    if (outboundMode(port.protocol) !== "tcp") continue;
    const guarded = backends.map(({ workload }) => policies.decidingSetOf(workload)).find((set) => set !== undefined);
    if (guarded === undefined) continue;
    const name = namespacedName(service.meta.namespace, service.meta.name);
    problems.set(`${name}:${port.port}`, {
      severity: "warning",
      code: "policy-on-tcp-port",
      origin: service.meta.origin,
      object: `Service ${name}`,
      field: `spec.ports[port=${port.port}]`,
      reason: `AuthorizationPolicy ${guarded} selects its pods, and policies are decided on HTTP only: every connection is refused`,
      remedy:
        "name the port's protocol (appProtocol: http) if it carries HTTP, or let the policy's selector leave these pods out",
    });
  }
  return [...problems.values()];
}
