import { join } from "node:path";
import type { CertificateStore } from "../identity/node/certificate-store.ts";
import type { NodeCredential } from "../identity/node/node-credential.ts";
import type { Logger } from "../lib/log.ts";
import type { Exchange } from "../model/exchange.ts";

/** One connection to the authority serves both. */
export interface AuthorityConnection {
  readonly certificates: CertificateStore;
  readonly exchange: Exchange;
  close(): void;
}

/**
 * `address`: `unix:/path` or `host:port`. What an earlier agent of this node learned lies in `stateDir`, so that the
 * authority may be away now. Throws AmbitError `authority-address`, or what the credential throws (`join-file`, `join-node`).
 */
export async function connectAuthority(
  address: string,
  credential: NodeCredential,
  stateDir: string,
  log: Logger,
): Promise<AuthorityConnection> {
  // Only now: a node without an authority need not hold the X.509 library (11 MB).
  const [{ AuthorityClient }, { CertificateStore: Store }, { KnownRoots }, { openAuthorityExchange }] =
    await Promise.all([
      import("../identity/node/authority-client.ts"),
      import("../identity/node/certificate-store.ts"),
      import("../identity/node/known-roots.ts"),
      import("../identity/node/authority-exchange.ts"),
    ]);
  // A credential that cannot be read is said at the start.
  credential.proof();
  const client = new AuthorityClient(address, credential);
  const certificates = new Store(client, { knownRoots: new KnownRoots(join(stateDir, "roots.pem")) });
  const exchange = openAuthorityExchange(client, { file: join(stateDir, "exchange.json"), log });
  return {
    certificates,
    exchange,
    close: () => {
      exchange.close();
      certificates.close();
      client.close();
    },
  };
}
