import { join } from "node:path";
import { json, serve, type Answer, type Handlers } from "./lib/http-server.ts";
import { authorityStatus } from "./identity/authority/authority-status.ts";
import { serveAuthority } from "./identity/authority/authority-server.ts";
import { Authority } from "./identity/authority/authority.ts";
import { ExchangeService } from "./identity/authority/exchange-service.ts";
import { BuiltInSigner } from "./identity/authority/built-in-signer.ts";
import { FileSigner } from "./identity/authority/file-signer.ts";
import { JoinTokens } from "./identity/authority/join-tokens.ts";
import { NodeRecords } from "./identity/authority/node-records.ts";
import { RootRotation } from "./identity/authority/root-rotation.ts";
import { serverIdentity } from "./identity/authority/server-identity.ts";
import type { CertificateSigner } from "./identity/authority/signer.ts";
import { SYSTEM_CLOCK } from "./lib/clock.ts";
import { AmbitError, describe } from "./lib/errors.ts";
import { refuseSecond, type ListenAt } from "./lib/listen.ts";
import type { Logger } from "./lib/log.ts";
import { makePrivateFolder } from "./lib/private-file.ts";
import type { MeshOptions } from "./model/mesh-options.ts";
import { placementOf } from "./identity/authority/placement.ts";
import type { Source } from "./model/source.ts";

export interface AuthorityAppOptions extends Pick<MeshOptions, "trustDomain"> {
  /** Keys and tokens: all that the authority must not lose, and must not show. */
  readonly stateDir: string;
  readonly listen: ListenAt;
  /** Of workloads' certificates. */
  readonly lifetimeMs: number;
  /** A folder with an intermediate that was made elsewhere, in place of keys of its own. */
  readonly caFolder: string | undefined;
}

/** What differs between a machine and a cluster. */
export interface AuthorityPorts {
  /** The objects that say which pods run where. Called once no other authority can have the state folder. */
  readonly openSource: () => Promise<Source>;
}

export interface AuthorityApp {
  close(): void;
}

const TICK_MS = 1_000;

/** The composition root of the authority: which pods run where comes from its source, the rest from its own folder. */
export async function runAuthority(
  options: AuthorityAppOptions,
  ports: AuthorityPorts,
  log: Logger,
): Promise<AuthorityApp> {
  const { stateDir, listen, lifetimeMs, trustDomain } = options;
  const clock = SYSTEM_CLOCK;
  const socketPath = join(stateDir, "admin.sock");
  await refuseSecond("authority", stateDir, socketPath);
  makePrivateFolder(stateDir);
  const source = await ports.openSource();
  const records = new NodeRecords(join(stateDir, "nodes.json"));
  const { signer, own } = await openSigner(options);
  const placement = placementOf(source, trustDomain);
  const authority = new Authority({ signer, tokens: new JoinTokens(stateDir), placement, records, lifetimeMs, clock });
  const onChange = (): void => {
    log.info({ signing: signer.generation() }, "roots changed");
    authority.changed();
  };
  const rotation = own && new RootRotation({ signer: own, records, clock, onChange });
  const exchange = new ExchangeService({ records, placement, clock, log });
  const server = await serveAuthority({ authority, exchange }, listen, await serverIdentity(stateDir), log);
  const status = (): Answer => json(authorityStatus(signer, records, rotation, exchange, clock.now()));
  const handlers: Handlers = {
    "/status": status,
    "POST /rotate-root": async () => {
      if (rotation === undefined) throw notOwn();
      await rotation.start();
      return status();
    },
  };
  const admin = await serve({ socketPath }, handlers, log);

  const tick = async (): Promise<void> => {
    const before = signer.roots() + signer.generation();
    try {
      await signer.refresh?.();
      if (before !== signer.roots() + signer.generation()) onChange();
      await rotation?.step();
    } catch (error) {
      log.error({ error: describe(error) }, "the roots stay as they are");
    }
    exchange.refresh();
  };
  const timer = setInterval(() => void tick(), TICK_MS);
  log.info({ listen, signing: signer.generation() }, "authority runs");
  return {
    close: () => {
      clearInterval(timer);
      admin.close();
      server.close();
      source.close();
    },
  };
}

interface OpenedSigner {
  readonly signer: CertificateSigner;
  /** The same, where its roots can be changed here. */
  readonly own: BuiltInSigner | undefined;
}

async function openSigner({ caFolder, stateDir, trustDomain }: AuthorityAppOptions): Promise<OpenedSigner> {
  if (caFolder !== undefined) return { signer: await FileSigner.open(caFolder), own: undefined };
  const own = await BuiltInSigner.open({ folder: stateDir, trustDomain });
  return { signer: own, own };
}

function notOwn(): AmbitError {
  return new AmbitError({
    code: "roots-not-own",
    kind: "user",
    what: "the root cannot be changed here",
    why: "the authority signs by files that were made elsewhere (--ca-folder)",
    remedy:
      "add the new root to root-cert.pem, then replace ca-cert.pem, ca-key.pem and cert-chain.pem, then remove the old root",
  });
}
