import type { ConditionTrace, PolicyTrace } from "../policy/evaluate.ts";
import type { AuthzRequest, Explained } from "../policy/explain.ts";
import { table } from "../lib/terminal/output.ts";

/** What `ambit authz explain` prints, as JSON in this form. */
export interface Explanation extends Explained {
  readonly source: string;
  readonly destination: string;
  readonly request: AuthzRequest;
  /** Does the mesh know who calls? */
  readonly inMesh: boolean;
}

export function explanationText(explanation: Explanation): string {
  const { source, destination, request, verdict, decidedBy, reason, policies, notes, inMesh } = explanation;
  const { protocol, method, path, host, port } = request;
  const what = protocol === "tcp" ? `connects to port ${port}` : `asks ${method} ${path} of ${host}, port ${port}`;
  const known = inMesh ? "" : " (the mesh does not know who that is)";
  const lines = [
    `${source}${known} ${what} of ${destination}:`,
    `${verdict}${decidedBy === "" ? "" : ` by ${decidedBy}`}: ${reason}`,
    ...notes.map((note) => `note: ${note}`),
  ];
  if (policies.length === 0) return lines.join("\n");
  const rows = policies.flatMap((policy) => {
    const [first = "", ...more] = policy.because.map(conditionText);
    return [
      [policy.policy, actionText(policy), policy.matches ? "yes" : "no", first],
      ...more.map((text) => ["", "", "", text]),
    ];
  });
  return [...lines, "", table([["POLICY", "ACTION", "MATCHES", "BECAUSE"], ...rows])].join("\n");
}

function actionText({ action, decides }: PolicyTrace): string {
  return decides || action === "AUDIT" ? action : `${action} (dry run)`;
}

function conditionText({ field, holds, found }: ConditionTrace): string {
  return `${field} ${holds ? "holds" : "does not hold"}: ${found === "" ? "there is none" : JSON.stringify(found)}`;
}
