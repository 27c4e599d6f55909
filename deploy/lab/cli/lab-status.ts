import type { Command } from "commander";
import { outputOption, print, printable, table, type OutputFormat } from "../../../agent/lib/terminal/output.ts";
import { labStatus } from "../control/client.ts";
import type { LabStatus } from "../control/status-protocol.ts";
import type { Usage } from "../machine/usage.ts";
import { labNameOption } from "./lab-options.ts";
import { warningText } from "./lab-watch.ts";

export function addLabStatus(lab: Command): void {
  lab
    .command("status")
    .summary("nodes, pods and services of a lab")
    .description("Shows the nodes, pods and services of a lab, and its problems with the manifests.")
    .addOption(labNameOption())
    .addOption(outputOption())
    .addHelpText(
      "after",
      "\nExamples:\n  $ ambit lab status --name try\n  $ ambit lab status --name try -o json | jq -r '.nodes[].metricsUrl'",
    )
    .action(async ({ name, output }: { name: string; output: OutputFormat }) => {
      print(await labStatus(name), output, toText);
    });
}

function toText(status: LabStatus): string {
  const yes = (value: boolean): string => (value ? "yes" : "no");
  const nodes = status.nodes.map((node) => {
    const { name, ip, ready, agentPid, envoyPid, agentUsage, envoyUsage, metricsUrl, reason } = node;
    const agent = [String(agentPid ?? "-"), usageText(agentUsage)];
    return [name, ip, yes(ready), ...agent, String(envoyPid ?? "-"), usageText(envoyUsage), metricsUrl ?? "-", reason];
  });
  const pods = status.pods.map((pod) => {
    const restarts = pod.containers.reduce((sum, container) => sum + container.restarts, 0);
    const { namespace, name, node, ip, ip6, ready, enrolled, phase, usage, reason } = pod;
    const state = [phase, yes(ready), yes(enrolled), String(restarts), usageText(usage)];
    return [namespace, name, node, ip, ip6 ?? "-", ...state, reason];
  });
  const services = status.services.map(({ namespace, name, clusterIPs, clusterIP, ports, endpoints }) => {
    const addresses = clusterIPs.join(",") || clusterIP || "-";
    const portText = ports.map(({ port, protocol }) => `${port}/${protocol}`).join(",");
    const targets = endpoints.flatMap((endpoint) => endpoint.ports.map(({ port }) => `${endpoint.address}:${port}`));
    return [namespace, name, addresses, portText, targets.join(",") || "-"];
  });
  const parts = [
    table([["NODE", "IP", "READY", "AGENT", "CPU MEMORY", "ENVOY", "CPU MEMORY", "METRICS", ""], ...nodes]),
    table([
      ["NAMESPACE", "POD", "NODE", "IP", "IPV6", "PHASE", "READY", "ENROLLED", "RESTARTS", "CPU MEMORY", ""],
      ...pods,
    ]),
    table([["NAMESPACE", "SERVICE", "CLUSTER-IP", "PORTS", "ENDPOINTS"], ...services]),
    status.authorityPid === null ? "" : `Authority: pid ${status.authorityPid}`,
    status.warnings.map((warning) => printable(warningText(warning))).join("\n"),
    status.ready ? "" : ["Not ready:", ...status.waitingFor.map((line) => `  ${printable(line)}`)].join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** `12% 84Mi`: share of one CPU, and resident memory. */
function usageText(usage: Usage | null): string {
  return usage === null ? "-" : `${usage.cpuPercent.toFixed(0)}% ${(usage.memoryBytes / 2 ** 20).toFixed(0)}Mi`;
}
