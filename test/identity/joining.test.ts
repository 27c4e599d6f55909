import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAuthorityAddress } from "../../agent/identity/authority-address.ts";
import { serveAuthority } from "../../agent/identity/authority/authority-server.ts";
import { makeJoinFile } from "../../agent/identity/authority/join-tokens.ts";
import { serverIdentity } from "../../agent/identity/authority/server-identity.ts";
import { joinFileCredential } from "../../agent/identity/node/node-credential.ts";
import { connectAuthority, type AuthorityConnection } from "../../agent/node/authority-connection.ts";
import { SYSTEM_CLOCK } from "../../agent/lib/clock.ts";
import { createLogger } from "../../agent/lib/log.ts";
import { eventually } from "../support/eventually.ts";
import { AuthorityFixture, WEB } from "./authority-fixture.ts";

let fixture: AuthorityFixture;
let joinTokenFile: string;
let stateDir: string;

beforeAll(async () => {
  fixture = await AuthorityFixture.start(SYSTEM_CLOCK);
  joinTokenFile = join(fixture.folder, "n1.json");
  stateDir = join(fixture.folder, "n1");
  mkdirSync(stateDir);
});
afterAll(() => fixture.remove());

function open(address: string, state = stateDir): Promise<AuthorityConnection> {
  return connectAuthority(address, joinFileCredential(joinTokenFile, "n1"), state, createLogger("test", "silent"));
}

async function writeToken(node: string): Promise<void> {
  writeFileSync(joinTokenFile, JSON.stringify(await makeJoinFile(fixture.folder, node)));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "::1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("an address is a unix socket, or a host and a port", () => {
  expect(parseAuthorityAddress("unix:/run/a.sock")).toEqual({ socketPath: "/run/a.sock" });
  expect(parseAuthorityAddress("10.0.0.1:15012")).toEqual({ host: "10.0.0.1", port: 15_012 });
  expect(parseAuthorityAddress("[fd00::1]:15012")).toEqual({ host: "fd00::1", port: 15_012 });
  for (const text of ["", "unix:a.sock", "host", "host:", ":1", "host:70000", "host:1x"]) {
    expect(() => parseAuthorityAddress(text)).toThrow("is no address of an authority");
  }
});

test("an agent joins over TCP, and takes a newer token without a restart", async () => {
  const port = await freePort();
  const log = createLogger("test", "silent");
  const server = await serveAuthority(fixture, { host: "::1", port }, await serverIdentity(fixture.folder), log);
  await writeToken("n1");
  const connection = await open(`[::1]:${port}`);
  const store = connection.certificates;
  store.want([WEB]);
  await eventually(() => expect(store.current().certificates.size).toBe(1));
  const serial = store.current().certificates.get(WEB)?.serial;
  await writeToken("n1");
  store.rotate();
  await eventually(() => expect(store.current().certificates.get(WEB)?.serial).not.toBe(serial));
  connection.close();
  server.close();
});

test("a token of another node, or none, is said at the start", async () => {
  const address = `unix:${fixture.socketPath}`;
  await writeToken("n2");
  await expect(open(address)).rejects.toThrow("is for node 'n2', and this is 'n1'");
  writeFileSync(joinTokenFile, readFileSync(joinTokenFile, "utf8").replace('"token"', '"other"'));
  await expect(open(address)).rejects.toThrow("is no join token");
  writeFileSync(joinTokenFile, "");
  await expect(open(address)).rejects.toThrow("is no join token");
});

test("an agent that starts while the authority is away knows whom to believe, if one before it did", async () => {
  const away = `unix:${join(fixture.folder, "away.sock")}`;
  const here = `unix:${fixture.socketPath}`;
  const kept = join(fixture.folder, "kept");
  mkdirSync(kept);
  const rootsFrom = async (address: string): Promise<string> => {
    const connection = await open(address, kept);
    connection.close();
    return connection.certificates.current().rootsPem;
  };
  await writeToken("n1");
  const file = join(kept, "roots.pem");
  expect(await rootsFrom(away)).toBe("");
  const first = await open(here, kept);
  first.certificates.want([WEB]);
  await eventually(() => expect(first.certificates.current().rootsPem).toBe(fixture.signer.roots()));
  first.close();
  expect(await rootsFrom(away)).toBe(fixture.signer.roots());
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 200));
  expect(await rootsFrom(away)).toBe("");
});

test("an authority that is back is known to be at once, though it has nothing new to say", async () => {
  await writeToken("n1");
  const connection = await open(`unix:${fixture.socketPath}`);
  const store = connection.certificates;
  store.want([WEB]);
  await eventually(() => expect(store.current().certificates.size).toBe(1));
  fixture.stopServing();
  await eventually(() => expect(store.status().authorityTrouble).toContain("does not answer"));
  await fixture.serve();
  await eventually(() => expect(store.status().authorityTrouble).toBeUndefined());
  connection.close();
});
