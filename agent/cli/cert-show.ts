import { X509Certificate } from "node:crypto";
import type { Command } from "commander";
import { silentOf, silentText, withAgentFlags, type AgentFlags } from "./agent-sockets.ts";
import { askCertificates, findHeld, type NodeCertificate } from "./cert-reports.ts";
import { outputOption, print, type OutputFormat } from "../lib/terminal/output.ts";

interface ShowFlags extends AgentFlags {
  readonly output: OutputFormat;
}

export function addCertShow(cert: Command): void {
  withAgentFlags(cert.command("show"))
    .summary("show the certificate of one identity on each node that has it, with the chain in PEM")
    .argument("<id>", "a SPIFFE ID, or NAMESPACE/SERVICE-ACCOUNT")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Exits 1 if a node does not answer.

Examples:
  $ ambit cert show shop/web
  $ ambit cert show spiffe://cluster.local/ns/shop/sa/web | openssl x509 -noout -text`,
    )
    .action(async (id: string, { output, ...flags }: ShowFlags) => {
      const reports = await askCertificates(flags);
      const [certificates, silent] = [findHeld(reports, id), silentOf(reports)];
      print({ certificates, silent }, output, (result) =>
        [...result.certificates.map(showText), silentText(result.silent)].filter(Boolean).join("\n\n"),
      );
      if (silent.length > 0) process.exitCode = 1;
    });
}

function showText({ node, spiffeId, waiting, lastError, chainPem, nextRequest, notBefore, notAfter }: NodeCertificate) {
  if (chainPem === undefined)
    return lines([
      ["node", node],
      ["identity", spiffeId],
      ["none yet", waiting],
    ]);
  const leaf = new X509Certificate(chainPem);
  const facts = lines([
    ["node", node],
    ["identity", spiffeId],
    ["serial", leaf.serialNumber.toLowerCase()],
    ["sha256", leaf.fingerprint256],
    ["signed by", leaf.issuer.replaceAll("\n", ", ")],
    ["valid from", notBefore],
    ["until", notAfter],
    ["renewed at", nextRequest],
    ["last error", lastError],
  ]);
  return `${facts}\n${chainPem.trimEnd()}`;
}

function lines(facts: readonly (readonly [string, string | undefined])[]): string {
  return facts
    .filter(([, value]) => value !== undefined)
    .map(([name, value = ""]) => `${`${name}:`.padEnd(12)}${value.replaceAll("\n", `\n${" ".repeat(12)}`)}`)
    .join("\n");
}
