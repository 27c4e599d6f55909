import { join } from "node:path";
import type { AuthorityAddress } from "./ca/authority-address.ts";
import { serveAuthority } from "./ca/authority-server.ts";
import { Authority } from "./ca/authority.ts";
import { BuiltInSigner } from "./ca/built-in-signer.ts";
import { JoinTokens } from "./ca/join-token.ts";
import { NodeRecords } from "./ca/node-records.ts";
import { serverIdentity } from "./ca/server-identity.ts";
import { SYSTEM_CLOCK } from "./lib/clock.ts";
import type { Logger } from "./lib/log.ts";
import { makePrivateFolder } from "./lib/private-file.ts";
import type { MeshOptions } from "./model/mesh-options.ts";
import { placementOf } from "./placement.ts";
import { openDirectorySource } from "./sources/directory.ts";

export interface AuthorityAppOptions extends MeshOptions {
  /** The same folders as the agents', so that both know the same pods. */
  readonly manifests: readonly string[];
  /** Keys and tokens: all that the authority must not lose, and must not show. */
  readonly stateDir: string;
  readonly listen: AuthorityAddress;
  /** Of workloads' certificates. */
  readonly lifetimeMs: number;
}

export interface AuthorityApp {
  close(): void;
}

/** The composition root of the authority: which pods run where comes from the manifests, the rest from its own folder. */
export async function runAuthority(options: AuthorityAppOptions, log: Logger): Promise<AuthorityApp> {
  const { stateDir, listen, lifetimeMs, trustDomain } = options;
  makePrivateFolder(stateDir);
  const source = await openDirectorySource(options.manifests, {
    ...options,
    heldVersions: join(stateDir, "held-versions.json"),
  });
  const signer = await BuiltInSigner.open({ folder: stateDir, trustDomain });
  const authority = new Authority({
    signer,
    tokens: new JoinTokens(stateDir),
    placement: placementOf(source, trustDomain),
    records: new NodeRecords(join(stateDir, "nodes.json")),
    lifetimeMs,
    clock: SYSTEM_CLOCK,
  });
  const server = await serveAuthority(authority, listen, await serverIdentity(stateDir), log);
  log.info({ listen, generation: signer.generation() }, "authority runs");
  return {
    close: () => {
      server.close();
      source.close();
    },
  };
}
