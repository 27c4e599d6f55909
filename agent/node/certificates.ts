import { json, type Handlers } from "../lib/http-server.ts";
import type { CertificateStatus, IdentityStatus } from "../identity/node/certificate-status.ts";
import type { CertificateStore } from "../identity/node/certificate-store.ts";
import { AmbitError } from "../lib/errors.ts";
import type { Mesh } from "../model/mesh.ts";
import { spiffeIdOf } from "../model/spiffe-id.ts";

/** Who signs this node's certificates. */
export interface AuthorityOptions {
  /** `unix:/path` or `host:port`. */
  readonly address: string;
  readonly joinTokenFile: string;
}

/** `rootsFile`: kept for the agent after this one. Throws AmbitError `join-file`, `join-node`, `authority-address`. */
export async function openCertificateStore(
  node: string,
  authority: AuthorityOptions,
  rootsFile: string,
): Promise<CertificateStore> {
  // Only now: a node without an authority need not hold the X.509 library (11 MB).
  const [{ AuthorityClient }, { CertificateStore: Store }, { joinFileCredential }, { KnownRoots }] = await Promise.all([
    import("../identity/node/authority-client.ts"),
    import("../identity/node/certificate-store.ts"),
    import("../identity/node/node-credential.ts"),
    import("../identity/node/known-roots.ts"),
  ]);
  const credential = joinFileCredential(authority.joinTokenFile, node);
  credential.proof();
  return new Store(new AuthorityClient(authority.address, credential), { knownRoots: new KnownRoots(rootsFile) });
}

/** Identities of the node's pods that are in the mesh, or have been (`members`, by UID) and live on. */
export function identitiesHere(
  { workloads }: Mesh,
  node: string,
  trustDomain: string,
  members: ReadonlySet<string>,
): readonly string[] {
  return workloads
    .filter((one) => one.node === node && !one.terminated && !one.hostNetwork)
    .filter(({ enrolled, uid }) => enrolled || members.has(uid))
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
