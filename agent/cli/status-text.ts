import type { PrintedProblem } from "../model/problem.ts";
import type { LimitName } from "../envoy/limits-reached.ts";
import type { AgentStatus } from "../node/agent-status.ts";
import { printable, table } from "../lib/terminal/output.ts";

/** A node whose agent answered, or the reason why its agent did not answer. */
export type NodeAnswer = AgentStatus | { readonly node: string; readonly ready: false; readonly error: string };

/** What `ambit status` prints for people. */
export function statusText(nodes: readonly NodeAnswer[]): string {
  const answered = nodes.filter((node) => "envoy" in node);
  return [
    table([["NODE", "READY", "AGENT", "ENVOY", "PODS IN THE MESH", "CONFIGURATION"], ...nodes.map(nodeRow)]),
    section("Pods", podTable(answered)),
    ...nodes.flatMap((one) => ("envoy" in one ? [] : [section(`The agent of ${one.node}`, one.error)])),
    ...answered.flatMap(envoyTrouble),
    ...answered.flatMap(limitsReached),
    ...answered.flatMap(refusedResources),
    ...noAuthority(answered),
    ...answered.flatMap(certificateTrouble),
    ...answered.flatMap(exchangeTrouble),
    ...problemSection(answered),
  ].join("\n\n");
}

function nodeRow(status: NodeAnswer): readonly string[] {
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

function podTable(nodes: readonly AgentStatus[]): string {
  const rows = nodes.flatMap(({ node, pods }) =>
    pods.map(({ namespace, name, enrolled, phase, reason }) => {
      const mesh = enrolled ? "yes" : "no";
      return [node, `${namespace}/${name}`, phase, reason === undefined ? mesh : `${mesh}: ${reason}`];
    }),
  );
  return table([["NODE", "POD", "PHASE", "IN THE MESH"], ...rows]);
}

function envoyTrouble({ node, envoy: { trouble } }: AgentStatus): readonly string[] {
  if (trouble === undefined) return [];
  const { since, what, said, remedy } = trouble;
  const lines = [what, ...(said === "" ? [] : [`it said last: ${said}`]), `what to do: ${remedy}`];
  return [section(`The Envoy of ${node}, since ${since}`, lines.join("\n"))];
}

/** What an operator should know of each limit. `times`: how often it was reached. */
const LIMITS: Readonly<Record<LimitName, (times: number) => string>> = {
  "pod-connections": (times) => `a pod had too many connections (--pod-connections): ${times} more were closed`,
  strangers: (times) =>
    `callers without a certificate had too many connections to a pod (half of --pod-connections): ${times} more were closed`,
  "node-connections": (times) =>
    `all pods together had too many connections for Envoy's descriptors: ${times} more were closed`,
  heap: (times) => `Envoy's memory came near its limit (--envoy-heap): ${times} of the largest streams were reset`,
  series: (times) =>
    `a namespace had too many series of metrics (ambit_grouped_series_total names it): ${times} more were grouped`,
  "first-byte": (times) =>
    `callers without a certificate said nothing to an HTTP port for too long (--first-byte-time): ${times} connections were closed`,
  descriptors: () => "Envoy has hardly any descriptor left: raise the hard limit of 'ulimit -n'",
  "direct-ports": (times) =>
    `too many ports of a pod were in use by the pod's own address: connections to ${times} more were refused`,
};

function limitsReached({ node, limits = [] }: AgentStatus): readonly string[] {
  if (limits.length === 0) return [];
  const lines = limits.map(({ limit, times, last }) => `${last} ${LIMITS[limit](times)}`);
  return [section(`Limits reached on ${node} in the last ten minutes`, lines.join("\n"))];
}

function refusedResources({ node, xds: { nacks } }: AgentStatus): readonly string[] {
  if (nacks.length === 0) return [];
  const lines = [
    ...nacks.map(({ time, kind, name, message, parts = [] }) => {
      const all = printable(`${time} ${kind} ${name}: ${message}`);
      return parts.length === 0 ? all : `${all} (all of it is served but ${parts.join(", ")})`;
    }),
    "Envoy keeps the last version that it accepted; all else is in effect. The agent tries again when the object changes.",
  ];
  return [section(`Refused by the Envoy of ${node}`, lines.join("\n"))];
}

/** All such nodes lack the same. */
function noAuthority(nodes: readonly AgentStatus[]): readonly string[] {
  const names = nodes.filter(({ withoutAuthority }) => withoutAuthority !== undefined).map(({ node }) => node);
  const [lack] = nodes.flatMap(({ withoutAuthority }) => withoutAuthority ?? []);
  if (lack === undefined) return [];
  return [section(`No authority: ${names.join(", ")}`, [...lack.effects, `what to do: ${lack.remedy}`].join("\n"))];
}

/** Certificates that are missing, expired or not renewed; 'ambit cert list' shows the others, too. */
function certificateTrouble({ node, certificates }: AgentStatus): readonly string[] {
  const lines = (certificates?.identities ?? []).flatMap(({ spiffeId, waiting, lastError, expired, notAfter = "" }) => {
    if (waiting !== undefined) return [`${spiffeId} has none yet: ${waiting}`];
    if (expired === true) return [`${spiffeId} expired at ${notAfter}: ${lastError ?? "a new one is on its way"}`];
    return lastError === undefined ? [] : [`${spiffeId}, valid until ${notAfter}, is not renewed: ${lastError}`];
  });
  const trouble = certificates?.authorityTrouble;
  const all = trouble === undefined ? lines : [`the authority signs no new ones: ${trouble}`, ...lines];
  return all.length === 0 ? [] : [section(`Certificates of ${node}`, all.join("\n"))];
}

/** Nodes that cannot hear from each other: pods that join or leave wait for them. */
function exchangeTrouble({ node, exchange }: AgentStatus): readonly string[] {
  if (exchange === undefined) return [];
  const { trouble, waitingFor } = exchange;
  const lines = [
    ...(trouble === undefined
      ? []
      : [
          `it hears nothing of other nodes: ${trouble}`,
          "pods that join or leave wait until they are heard again; all else goes on",
        ]),
    ...waitingFor.map(
      ({ node: other, lastHeard }) =>
        `${other} does not follow yet${lastHeard === undefined ? "" : `; the authority last heard from it at ${lastHeard}`}`,
    ),
  ];
  return lines.length === 0 ? [] : [section(`Exchange of ${node} with other nodes`, lines.join("\n"))];
}

/** Every node reads the same manifests, and so finds the same problems: each is printed once. */
function problemSection(nodes: readonly AgentStatus[]): readonly string[] {
  const problems = new Set(nodes.flatMap((node) => node.problems.map(problemText)));
  return problems.size === 0 ? [] : [section("Problems", [...problems].join("\n"))];
}

function problemText({ severity, origin, object, field, reason, remedy }: PrintedProblem): string {
  const where = [origin, object, field].filter(Boolean).join(" ");
  const what = printable(`${severity}: ${where}: ${reason}`);
  return remedy === "" ? what : `${what}\n  what to do: ${printable(remedy)}`;
}

function section(title: string, body: string): string {
  return `${title}\n${body.replaceAll(/^/gm, "  ")}`;
}
