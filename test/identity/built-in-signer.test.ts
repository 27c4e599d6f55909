import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { BuiltInSigner } from "../../agent/identity/authority/built-in-signer.ts";
import { makeRequest } from "../../agent/identity/x509/certificate-request.ts";
import { tryExec } from "../../agent/lib/exec.ts";
import { splitPem } from "../../agent/identity/x509/pem.ts";
import { FakeClock } from "./fake-clock.ts";

const ID = "spiffe://cluster.local/ns/shop/sa/web";
const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), "ambit-ca-"));
const open = (): Promise<BuiltInSigner> => BuiltInSigner.open({ folder, trustDomain: "cluster.local" });

afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a workload's certificate is an SVID that chains to the root", async () => {
  const signer = await open();
  const { csrPem, keyPem } = await makeRequest(ID);
  const { chainPem } = await signer.sign(csrPem, ID, DAY_MS);
  const [leafPem = "", intermediatePem = "", ...more] = splitPem(chainPem);
  const leaf = new X509Certificate(leafPem);
  const intermediate = new X509Certificate(intermediatePem);
  const root = new X509Certificate(signer.roots());
  expect(more).toEqual([]);
  expect(leaf.verify(intermediate.publicKey) && leaf.checkIssued(intermediate)).toBe(true);
  expect(intermediate.verify(root.publicKey) && intermediate.checkIssued(root)).toBe(true);
  expect(root.verify(root.publicKey) && root.checkIssued(root)).toBe(true);
  expect([leaf.ca, intermediate.ca, root.ca]).toEqual([false, true, true]);
  expect(leaf.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
  expect(leaf.subjectAltName).toBe(`URI:${ID}`);
  expect(leaf.subject).toBeFalsy();
  const life = Date.parse(leaf.validTo) - Date.parse(leaf.validFrom);
  expect(life).toBe(DAY_MS + 60_000);
  expect(Date.parse(leaf.validFrom)).toBeLessThan(Date.now() - 55_000);
  expect(leaf.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);

  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const trusted = file("root.pem", signer.roots());
  const chain = file("chain.pem", intermediatePem);
  const own = file("leaf.pem", leafPem);
  for (const purpose of ["sslserver", "sslclient"]) {
    const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", trusted, "-untrusted", chain, own];
    const { code, stdout, stderr } = await tryExec("openssl", args);
    // Where there is no openssl on this machine, the checks above stand alone.
    expect(code === 127 ? `${own}: OK\n` : stdout + stderr).toBe(`${own}: OK\n`);
  }
});

test("the folder is private, and another process goes on with the same root", async () => {
  const before = await open();
  const again = await open();
  expect(again.roots()).toBe(before.roots());
  expect(again.generation()).toBe(before.generation());
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  expect(files.filter((file) => (statSync(file).mode & 0o077) !== 0)).toEqual([]);
  writeFileSync(join(folder, "roots.json"), "{");
  await expect(open()).rejects.toThrow("cannot be read");
});

test("the intermediate is renewed under the same root before it gets old, and kept", async () => {
  const clock = new FakeClock();
  const signer = await BuiltInSigner.open({ folder, trustDomain: "cluster.local", clock });
  const sign = async (by: BuiltInSigner): Promise<string> => {
    const { csrPem } = await makeRequest(ID);
    const [leaf = "", intermediate = ""] = splitPem((await by.sign(csrPem, ID, DAY_MS)).chainPem);
    expect(new X509Certificate(leaf).verify(new X509Certificate(intermediate).publicKey)).toBe(true);
    expect(new X509Certificate(intermediate).verify(new X509Certificate(by.roots()).publicKey)).toBe(true);
    return intermediate;
  };
  const first = await sign(signer);
  clock.advance(100 * DAY_MS);
  expect(await sign(signer)).toBe(first);
  clock.advance(100 * DAY_MS);
  const second = await sign(signer);
  expect(second).not.toBe(first);
  expect(await sign(await BuiltInSigner.open({ folder, trustDomain: "cluster.local", clock }))).toBe(second);
});
