import { X509Certificate, createPrivateKey, webcrypto } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeIntermediate, makeRoot, type CertifiedKey } from "../../agent/identity/x509/authority-certificate.ts";
import { makeRequest } from "../../agent/identity/x509/certificate-request.ts";
import { makeCertificate } from "../../agent/identity/x509/make-certificate.ts";
import { FileSigner } from "../../agent/identity/authority/file-signer.ts";
import { privateKeyToPem } from "../../agent/identity/x509/keys.ts";
import { splitPem } from "../../agent/identity/x509/pem.ts";
import { BasicConstraintsExtension, type X509Certificate as Certificate } from "../../agent/identity/x509/x509.ts";
import { tryExec } from "../../agent/lib/exec.ts";

const ID = "spiffe://cluster.local/ns/shop/sa/web";
const DAY_MS = 86_400_000;
const OPTIONS = { trustDomain: "cluster.local", now: Date.now(), lifetimeMs: 30 * DAY_MS };
let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "ambit-cacerts-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pem = (certificate: Certificate): string => `${certificate.toString("pem")}\n`;
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** As Istio's documentation has it: an intermediate below a root. */
async function write(root: CertifiedKey, intermediate: CertifiedKey, roots = pem(root.certificate)): Promise<void> {
  file("ca-cert.pem", pem(intermediate.certificate));
  file("ca-key.pem", await privateKeyToPem(intermediate.key));
  file("cert-chain.pem", pem(intermediate.certificate) + pem(root.certificate));
  file("root-cert.pem", roots);
}

async function sign(signer: FileSigner): Promise<readonly string[]> {
  const { csrPem } = await makeRequest(ID);
  return splitPem((await signer.sign(csrPem, ID, DAY_MS)).chainPem);
}

/** What `openssl verify` says of a chain. */
async function verify(roots: string, [leaf = "", ...between]: readonly string[]): Promise<string> {
  const args = ["verify", "-CAfile", file("r.pem", roots), "-untrusted", file("c.pem", between.join("") || leaf)];
  const { code, stdout, stderr } = await tryExec("openssl", [...args, file("leaf.pem", leaf)]);
  return code === 127 ? "OK" : (stdout + stderr).trim();
}

test("signs by the files, the root stays out of the chain, and one that is near its end ends its certificates", async () => {
  const root = await makeRoot(OPTIONS);
  await write(root, await makeIntermediate(root, { ...OPTIONS, lifetimeMs: DAY_MS / 2 }));
  const signer = await FileSigner.open(folder);
  const chain = await sign(signer);
  expect(chain).toHaveLength(2);
  expect(await verify(signer.roots(), chain)).toMatch(/OK$/u);
  const [leaf, issuer] = chain.map((one) => new X509Certificate(one));
  expect(leaf?.validTo).toBe(issuer?.validTo);
});

test("takes RSA keys in PKCS #1, and identifiers that are not made our way", async () => {
  const rsa = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: Buffer.from([1, 0, 1]),
  };
  const keys = await webcrypto.subtle.generateKey(rsa, true, ["sign", "verify"]);
  const subject = [{ O: ["Example"] }, { CN: ["Example CA"] }];
  const certificate = await makeCertificate(
    {
      subject,
      publicKey: keys.publicKey,
      notBefore: new Date(OPTIONS.now - DAY_MS),
      notAfter: new Date(OPTIONS.now + DAY_MS),
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    },
    { name: subject, key: keys.privateKey },
  );
  const key = createPrivateKey(await privateKeyToPem(keys.privateKey)).export({ type: "pkcs1", format: "pem" });
  // A root that signs by itself, without cert-chain.pem.
  for (const name of ["ca-cert.pem", "root-cert.pem"]) file(name, pem(certificate));
  file("ca-key.pem", String(key));
  const signer = await FileSigner.open(folder);
  const chain = await sign(signer);
  expect(chain).toHaveLength(1);
  expect(await verify(signer.roots(), chain)).toMatch(/OK$/u);
});

test("files that are replaced are taken, once they fit together", async () => {
  const root = await makeRoot(OPTIONS);
  await write(root, await makeIntermediate(root, OPTIONS));
  const signer = await FileSigner.open(folder);
  const before = signer.generation();
  const next = await makeRoot(OPTIONS);
  const intermediate = await makeIntermediate(next, OPTIONS);
  file("ca-cert.pem", pem(intermediate.certificate));
  await expect(signer.refresh()).rejects.toThrow("cannot be used");
  expect(signer.generation()).toBe(before);
  await expect(signer.refresh()).resolves.toBeUndefined();
  expect(signer.trouble()).toContain("cannot be used");
  await write(next, intermediate, pem(root.certificate) + pem(next.certificate));
  await signer.refresh();
  expect(signer.trouble()).toBeUndefined();
  expect(signer.generation()).not.toBe(before);
  expect(splitPem(signer.roots())).toHaveLength(2);
  expect(await verify(signer.roots(), await sign(signer))).toMatch(/OK$/u);
});

test("names the file that is not right", async () => {
  const [root, other] = [await makeRoot(OPTIONS), await makeRoot(OPTIONS)];
  const [own, foreign] = [await makeIntermediate(root, OPTIONS), await makeIntermediate(other, OPTIONS)];
  const cases: readonly (readonly [string, string, string])[] = [
    ["ca-key.pem", await privateKeyToPem(foreign.key), "ca-key.pem cannot be used"],
    ["ca-key.pem", "junk", "ca-key.pem cannot be used"],
    ["root-cert.pem", pem(other.certificate), "root-cert.pem cannot be used"],
    ["root-cert.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "root-cert.pem cannot be used"],
    ["cert-chain.pem", pem(foreign.certificate), "cert-chain.pem cannot be used"],
    ["ca-cert.pem", "", "ca-cert.pem cannot be used"],
  ];
  for (const [name, text, message] of cases) {
    await write(root, own);
    file(name, text);
    await expect(FileSigner.open(folder)).rejects.toThrow(message);
  }
  await write(root, own);
  rmSync(join(folder, "root-cert.pem"));
  await expect(FileSigner.open(folder)).rejects.toThrow("cannot be used");
});

test("refuses what has expired, or is not good yet, and goes on with what was there before", async () => {
  const past = { ...OPTIONS, now: OPTIONS.now - 9 * DAY_MS, lifetimeMs: DAY_MS };
  const [root, old] = [await makeRoot(OPTIONS), await makeRoot(past)];
  const own = await makeIntermediate(root, OPTIONS);
  await write(root, await makeIntermediate(root, past));
  await expect(FileSigner.open(folder)).rejects.toThrow("ca-cert.pem cannot be used");
  await write(old, await makeIntermediate({ ...old, certificate: root.certificate }, OPTIONS), pem(old.certificate));
  await expect(FileSigner.open(folder)).rejects.toThrow("cannot be used");
  const early = await makeRoot({ ...OPTIONS, now: OPTIONS.now + DAY_MS });
  await write(early, await makeIntermediate(early, { ...OPTIONS, now: OPTIONS.now + DAY_MS }));
  await expect(FileSigner.open(folder)).rejects.toMatchObject({
    why: expect.stringContaining("is good only from") as string,
  });
  // Another root in the file may have expired: it may be about to go.
  await write(root, own, pem(old.certificate) + pem(root.certificate));
  const signer = await FileSigner.open(folder);
  await write(root, await makeIntermediate(root, past));
  await expect(signer.refresh()).rejects.toMatchObject({ why: expect.stringContaining("has expired at") as string });
  expect(await sign(signer)).toHaveLength(2);
});
