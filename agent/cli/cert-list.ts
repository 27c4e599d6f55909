import type { Command } from "commander";
import type { CertificateReport } from "../node/certificates.ts";
import { silentOf, silentText, withAgentFlags, type AgentFlags, type SilentNode } from "./agent-sockets.ts";
import { askCertificates, heldBy, type NodeCertificate } from "./cert-reports.ts";
import { outputOption, print, table, type OutputFormat } from "../lib/terminal/output.ts";

interface ListFlags extends AgentFlags {
  readonly output: OutputFormat;
}

export function addCertList(cert: Command): void {
  withAgentFlags(cert.command("list"))
    .summary("list every identity of every node: how long its certificate is valid, or why it has none")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Exits 1 if a certificate is missing or has expired, or if a node does not answer.

Examples:
  $ ambit cert list
  $ ambit cert list --name try -o json | jq '.nodes[].identities[].notAfter'`,
    )
    .action(async ({ output, ...flags }: ListFlags) => {
      const nodes = await askCertificates(flags);
      print({ nodes }, output, (result) => listText(result.nodes, Date.now()));
      const bad = heldBy(nodes).some(({ waiting, expired }) => waiting !== undefined || expired === true);
      if (bad || nodes.some((node) => "error" in node)) process.exitCode = 1;
    });
}

/** What `ambit cert list` prints for people. */
export function listText(nodes: readonly (CertificateReport | SilentNode)[], now: number): string {
  const rows = nodes.flatMap((one) =>
    "error" in one ? [[one.node, "-", "-", "-", "-", "does not answer"]] : heldBy([one]).map((held) => row(held, now)),
  );
  const trouble = nodes.flatMap((one) =>
    "error" in one || one.authorityTrouble === undefined
      ? []
      : [`${one.node} gets no new certificates: ${one.authorityTrouble}`],
  );
  const lines = table([["NODE", "IDENTITY", "SERIAL", "VALID FOR", "RENEWED IN", ""], ...rows]);
  return [lines, ...trouble, silentText(silentOf(nodes))].filter((part) => part !== "").join("\n");
}

function row({ node, spiffeId, serial, notAfter, nextRequest, waiting, lastError }: NodeCertificate, now: number) {
  const note = (waiting ?? lastError ?? "").replaceAll(/\n */gu, "; ");
  const left =
    notAfter === undefined ? "-" : Date.parse(notAfter) <= now ? "expired" : span(Date.parse(notAfter) - now);
  return [node, spiffeId, serial ?? "-", left, span(Math.max(0, Date.parse(nextRequest) - now)), note];
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** The two largest units: `23h 59m`. */
function span(ms: number): string {
  const first = UNITS.findIndex(([, length]) => ms >= length);
  if (first < 0) return "0s";
  let rest = ms;
  return UNITS.slice(first, first + 2)
    .map(([unit, length]) => {
      const count = Math.floor(rest / length);
      rest -= count * length;
      return `${count}${unit}`;
    })
    .join(" ");
}
