import { json, type Handlers } from "../lib/http-server.ts";
import type { CertificateStatus, IdentityStatus } from "../identity/node/certificate-status.ts";
import type { CertificateStore } from "../identity/node/certificate-store.ts";
import { AmbitError } from "../lib/errors.ts";
import type { Mesh } from "../model/mesh.ts";
import type { Identities } from "../model/identity.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";
import type { Workload } from "../model/workload.ts";

/** Always true where the mesh has no authority (`identities` undefined): there is nothing to wait for. */
export function hasCertificate(identities: Identities | undefined, workload: Workload, trustDomain: string): boolean {
  if (identities === undefined) return true;
  return identities.rootsPem !== "" && identities.certificates.has(spiffeIdOf(trustDomain, workload));
}

/** Identities of the node's pods that have the label, or had it (`pods`, by UID) and live on. */
export function identitiesHere(
  { workloads }: Mesh,
  node: string,
  trustDomain: string,
  pods: ReadonlyMap<string, unknown>,
): readonly string[] {
  return workloads
    .filter((one) => one.node === node && !one.terminated && !one.hostNetwork)
    .filter(({ enrolled, uid }) => enrolled || pods.has(uid))
    .map((workload) => spiffeIdOf(trustDomain, workload));
}

/** What an agent answers at `/certificates`: its status, and the certificates themselves; keys never. */
export interface CertificateReport extends CertificateStatus {
  readonly node: string;
  readonly rootsPem: string;
  readonly identities: readonly (IdentityStatus & { readonly chainPem?: string })[];
}

/** What `ambit cert` asks. */
export function certificateHandlers(node: string, store: CertificateStore | undefined): Handlers {
  return {
    "/certificates": () => json(report(node, required(node, store))),
    "POST /certificates/rotate": (query) => json(required(node, store).rotate(query.get("id") ?? undefined)),
  };
}

function report(node: string, store: CertificateStore): CertificateReport {
  const { certificates, rootsPem } = store.current();
  const status = store.status();
  const identities = status.identities.map((identity) => {
    const chainPem = certificates.get(identity.spiffeId)?.chainPem;
    return { ...identity, ...(chainPem !== undefined && { chainPem }) };
  });
  return { node, ...status, identities, rootsPem };
}

function required(node: string, store: CertificateStore | undefined): CertificateStore {
  if (store !== undefined) return store;
  throw new AmbitError({
    code: "no-authority",
    kind: "user",
    what: `the agent of ${node} has no certificates`,
    why: "it was started without an authority",
    remedy: "start it with --authority and --join-token-file: see 'ambit agent --help'",
  });
}
