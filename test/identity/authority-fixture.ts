import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuthorityClient } from "../../agent/identity/node/authority-client.ts";
import { serveAuthority, type AuthorityServer } from "../../agent/identity/authority/authority-server.ts";
import { ExchangeService } from "../../agent/identity/authority/exchange-service.ts";
import { Authority } from "../../agent/identity/authority/authority.ts";
import { BuiltInSigner } from "../../agent/identity/authority/built-in-signer.ts";
import type { Placement } from "../../agent/identity/authority/placement.ts";
import { JoinTokens, makeJoinFile } from "../../agent/identity/authority/join-tokens.ts";
import type { NodeProof } from "../../agent/identity/authority-protocol.ts";
import { NodeRecords } from "../../agent/identity/authority/node-records.ts";
import { serverIdentity } from "../../agent/identity/authority/server-identity.ts";
import type { Clock } from "../../agent/lib/clock.ts";
import { createLogger } from "../../agent/lib/log.ts";

export const LIFETIME_MS = 86_400_000;
export const WEB = "spiffe://cluster.local/ns/shop/sa/web";
export const API = "spiffe://cluster.local/ns/shop/sa/api";

const log = createLogger("test", "silent");

/** An authority with two nodes, `n1` with pods of WEB and `n2` with pods of API; served on a unix socket. */
export class AuthorityFixture {
  readonly folder: string;
  readonly socketPath: string;
  readonly placed = new Map<string, string[]>([
    [WEB, ["n1"]],
    [API, ["n2"]],
  ]);
  /** By UID: the node on which the pod runs. */
  readonly pods = new Map<string, string>();
  readonly signer: BuiltInSigner;
  readonly records: NodeRecords;
  readonly authority: Authority;
  exchange: ExchangeService;
  readonly #placement: Placement;
  readonly #clock: Clock;
  #server: AuthorityServer | undefined;

  private constructor(signer: BuiltInSigner, folder: string, clock: Clock) {
    this.folder = folder;
    this.socketPath = join(folder, "authority.sock");
    this.signer = signer;
    this.records = new NodeRecords(join(folder, "nodes.json"));
    this.#clock = clock;
    this.#placement = {
      nodesOf: (id: string) => this.placed.get(id) ?? [],
      nodeOf: (uid: string) => this.pods.get(uid),
    };
    this.authority = new Authority({
      signer,
      tokens: new JoinTokens(folder),
      placement: this.#placement,
      records: this.records,
      lifetimeMs: LIFETIME_MS,
      clock,
    });
    this.exchange = this.#openExchange();
  }

  static async start(clock: Clock): Promise<AuthorityFixture> {
    const folder = mkdtempSync(join(tmpdir(), "ambit-ca-"));
    const signer = await BuiltInSigner.open({ folder, trustDomain: "cluster.local", clock });
    const fixture = new AuthorityFixture(signer, folder, clock);
    await fixture.serve();
    return fixture;
  }

  async serve(): Promise<void> {
    const { socketPath } = this;
    this.#server = await serveAuthority(this, { socketPath }, await serverIdentity(this.folder), log);
  }

  /** As after a restart of the process: nothing is known of what nodes reported. */
  restart(): void {
    this.exchange = this.#openExchange();
  }

  #openExchange(): ExchangeService {
    return new ExchangeService({ records: this.records, placement: this.#placement, clock: this.#clock, log });
  }

  stopServing(): void {
    this.#server?.close();
  }

  async join(node: string, change: Partial<NodeProof> = {}): Promise<AuthorityClient> {
    const file = await makeJoinFile(this.folder, node);
    return new AuthorityClient(`unix:${this.socketPath}`, { proof: () => ({ ...file, ...change }) });
  }

  remove(): void {
    this.stopServing();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
