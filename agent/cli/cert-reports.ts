import type { CertificateReport } from "../node/certificates.ts";
import { AmbitError } from "../lib/errors.ts";
import { askAgents, silentOf, silentText, type AgentFlags, type SilentNode } from "./agent-sockets.ts";
import { ask } from "./ask.ts";

export type NodeCertificate = CertificateReport["identities"][number] & { readonly node: string };

/** The certificates that each agent has, or the reason why it did not answer. */
export function askCertificates(flags: AgentFlags): Promise<readonly (CertificateReport | SilentNode)[]> {
  return askAgents(flags, (socket) => ask<CertificateReport>("agent", socket, "/certificates"));
}

export function heldBy(reports: readonly (CertificateReport | SilentNode)[]): readonly NodeCertificate[] {
  return reports.flatMap((one) =>
    "error" in one ? [] : one.identities.map((identity) => ({ ...identity, node: one.node })),
  );
}

/**
 * The certificates of the identity that a user names: by its SPIFFE ID, or by `namespace/service-account`.
 * Throws AmbitError `no-such-identity`.
 */
export function findHeld(
  reports: readonly (CertificateReport | SilentNode)[],
  wanted: string,
): readonly NodeCertificate[] {
  const held = heldBy(reports);
  const [namespace, account, ...more] = wanted.split("/");
  const ending = more.length === 0 ? `/ns/${namespace}/sa/${account}` : wanted;
  const found = held.filter(({ spiffeId }) => spiffeId === wanted || spiffeId.endsWith(ending));
  if (found.length > 0) return found;
  const silent = silentText(silentOf(reports));
  throw new AmbitError({
    code: "no-such-identity",
    kind: "user",
    what: `no node ${silent === "" ? "has" : "that answers has"} a pod of the identity ${wanted} in the mesh`,
    why: `known identities: ${[...new Set(held.map(({ spiffeId }) => spiffeId))].join(", ") || "none"}`,
    remedy: ["name one of them, or NAMESPACE/SERVICE-ACCOUNT for short", silent].filter(Boolean).join("\n"),
  });
}
