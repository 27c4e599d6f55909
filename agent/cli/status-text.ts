import type { Problem } from "../model/problem.ts";
import type { AgentStatus } from "../node/status.ts";
import { table } from "../lib/terminal/output.ts";

/** A node whose agent answered, or what kept it from answering. */
export type NodeStatus = AgentStatus | { readonly node: string; readonly ready: false; readonly error: string };

/** What `ambit status` prints for people. */
export function statusText(nodes: readonly NodeStatus[]): string {
  const answered = nodes.filter((node) => "envoy" in node);
  const problems = distinct(answered.flatMap((node) => node.problems));
  return [
    table([["NODE", "READY", "AGENT", "ENVOY", "PODS IN THE MESH", "CONFIGURATION"], ...nodes.map(nodeRow)]),
    section("Pods", table([["NODE", "POD", "IN THE MESH"], ...answered.flatMap(podRows)])),
    ...nodes.flatMap((one) => ("envoy" in one ? [] : [section(`The agent of ${one.node}`, one.error)])),
    ...answered.flatMap(({ node, envoy: { trouble } }) =>
      trouble === undefined
        ? []
        : [
            section(
              `The Envoy of ${node}, since ${trouble.since}`,
              [
                trouble.what,
                ...(trouble.said === "" ? [] : [`it said last: ${trouble.said}`]),
                `what to do: ${trouble.remedy}`,
              ].join("\n"),
            ),
          ],
    ),
    ...answered
      .filter(({ xds }) => xds.nacks.length > 0)
      .map(({ node, xds }) =>
        section(
          `Refused by the Envoy of ${node}`,
          [
            ...xds.nacks.map(({ time, kind, name, message }) => `${time} ${kind} ${name}: ${message}`),
            "It goes on with the version that it took last; all else is in effect. A change of the object is tried again.",
          ].join("\n"),
        ),
      ),
    ...answered.flatMap(certificateTrouble),
    problems.length === 0 ? "" : section("Problems", problems.map(problemText).join("\n")),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function nodeRow(status: NodeStatus): readonly string[] {
  if (!("envoy" in status)) return [status.node, "no", "does not answer"];
  const { node, ready, agentPid, envoy, pods, xds } = status;
  const running = envoy.pid === undefined ? "not running" : `pid ${envoy.pid}`;
  const restarts = envoy.restarts === 0 ? "" : `, restarted ${envoy.restarts} times`;
  const enrolled = pods.filter((pod) => pod.enrolled).length;
  return [
    node,
    ready ? "yes" : "no",
    `pid ${agentPid}`,
    `${envoy.version} ${running}${restarts}`,
    `${enrolled} of ${pods.length}`,
    xds.nacks.length === 0 ? (xds.connected ? "accepted" : "not connected") : `${xds.nacks.length} refused`,
  ];
}

/** Certificates that are missing, expired or could not be renewed; of those that are in order 'ambit cert list' tells. */
function certificateTrouble({ node, certificates }: AgentStatus): readonly string[] {
  const lines = (certificates?.identities ?? []).flatMap(({ spiffeId, waiting, lastError, expired, notAfter = "" }) => {
    if (waiting !== undefined) return [`${spiffeId} has none yet: ${waiting}`];
    if (expired === true) return [`${spiffeId} has expired at ${notAfter}: ${lastError ?? "a new one is on its way"}`];
    return lastError === undefined ? [] : [`${spiffeId}, good until ${notAfter}, is not renewed: ${lastError}`];
  });
  const trouble = certificates?.authorityTrouble;
  const all = trouble === undefined ? lines : [`new ones cannot be had: ${trouble}`, ...lines];
  return all.length === 0 ? [] : [section(`Certificates of ${node}`, all.join("\n"))];
}

function podRows({ node, pods }: AgentStatus): readonly (readonly string[])[] {
  return pods.map(({ namespace, name, enrolled, reason }) => {
    const mesh = enrolled ? "yes" : "no";
    return [node, `${namespace}/${name}`, reason === undefined ? mesh : `${mesh}: ${reason}`];
  });
}

function problemText({ severity, origin, object, field, reason, remedy }: Problem): string {
  const where = [origin, object, field].filter(Boolean).join(" ");
  return `${severity}: ${where}: ${reason}${remedy === "" ? "" : `\n  what to do: ${remedy}`}`;
}

/** Every node reads the same manifests, and so finds the same problems. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [problemText(problem), problem])).values()];
}

function section(title: string, body: string): string {
  return `${title}\n${body.replaceAll(/^/gm, "  ")}`;
}
