import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { askAgents, silentOf, silentText, withAgentFlags, type AgentFlags } from "./agent-sockets.ts";
import { ask } from "./ask.ts";
import { askCertificates, findHeld, heldBy, type NodeCertificate } from "./cert-reports.ts";
import { outputOption, print, seconds, table, type OutputFormat } from "../lib/terminal/output.ts";
import type { CertificateReport } from "../node/certificates.ts";

interface RotateFlags extends AgentFlags {
  readonly output: OutputFormat;
  readonly timeout: number;
}

interface Rotated {
  readonly node: string;
  readonly spiffeId: string;
  readonly before: string | null;
  /** null: there is no new certificate yet, and `reason` tells why. */
  readonly after: string | null;
  readonly reason?: string;
}

const POLL_MS = 50;

export function addCertRotate(cert: Command): void {
  withAgentFlags(cert.command("rotate"))
    .summary("get new keys and certificates now: for one identity on each of its nodes, or for all")
    .argument("[id]", "a SPIFFE ID, or NAMESPACE/SERVICE-ACCOUNT (default: all)")
    .option("--timeout <seconds>", "how long to wait for the new certificates", seconds, 15)
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
The old certificate is used until the new one is there. Exits 1 if a new certificate does not come in time (the agent keeps
trying), or if a node does not answer.

Examples:
  $ ambit cert rotate
  $ ambit cert rotate shop/web`,
    )
    .action(async (id: string | undefined, { output, timeout, ...flags }: RotateFlags) => {
      const reports = await askCertificates(flags);
      const [chosen, silent] = [id === undefined ? heldBy(reports) : findHeld(reports, id), silentOf(reports)];
      await askAgents(flags, (socket) => rotateAt(socket, chosen));
      const rotated = await outcome(flags, chosen, Date.now() + timeout * 1_000);
      print({ rotated, silent }, output, (result) =>
        [rotatedText(result.rotated), silentText(result.silent)].filter(Boolean).join("\n"),
      );
      if (silent.length > 0 || rotated.some(({ after }) => after === null)) process.exitCode = 1;
    });
}

async function rotateAt(socket: string, chosen: readonly NodeCertificate[]): Promise<void> {
  const { node } = await ask<CertificateReport>("agent", socket, "/certificates");
  for (const { spiffeId } of chosen.filter((one) => one.node === node)) {
    await ask("agent", socket, `/certificates/rotate?id=${encodeURIComponent(spiffeId)}`, "POST");
  }
}

async function outcome(
  flags: AgentFlags,
  chosen: readonly NodeCertificate[],
  deadline: number,
): Promise<readonly Rotated[]> {
  for (;;) {
    const reports = await askCertificates(flags);
    const now = heldBy(reports);
    const rotated = chosen.map(({ node, spiffeId, serial: before = null }): Rotated => {
      const found = now.find((one) => one.node === node && one.spiffeId === spiffeId);
      const after = found?.serial ?? null;
      if (after !== null && after !== before) return { node, spiffeId, before, after };
      const silent = silentOf(reports).find((one) => one.node === node);
      const reason = silent?.error ?? found?.lastError ?? found?.waiting ?? "the authority is being asked";
      return { node, spiffeId, before, after: null, reason };
    });
    if (rotated.every(({ after }) => after !== null) || Date.now() > deadline) return rotated;
    await sleep(POLL_MS);
  }
}

function rotatedText(rotated: readonly Rotated[]): string {
  const rows = rotated.map(({ node, spiffeId, before, after, reason = "" }) => [
    ...[node, spiffeId, before ?? "-", after ?? "not yet", reason.replaceAll(/\n */gu, "; ")],
  ]);
  return table([["NODE", "IDENTITY", "BEFORE", "NOW", ""], ...rows]);
}
