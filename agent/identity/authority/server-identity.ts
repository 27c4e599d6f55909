import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createPrivateFile, makePrivateFolder } from "../../lib/private-file.ts";
import { BACKDATE_MS, makeCertificate } from "../x509/make-certificate.ts";
import { generateKeyPair, privateKeyToPem } from "../x509/keys.ts";
import { AUTHORITY_NAME } from "../authority-protocol.ts";
import { ExtendedKeyUsage, ExtendedKeyUsageExtension, SubjectAlternativeNameExtension } from "../x509/x509.ts";

export interface ServerIdentity {
  readonly certificatePem: string;
  /** Certificate and key. */
  readonly pem: string;
}

const LIFETIME_MS = 20 * 365 * 24 * 60 * 60 * 1_000;

/**
 * The certificate by which nodes recognize the authority's server. It is signed by itself, and each node gets it with its
 * join token. It is independent of the mesh's roots, so that those can change or come from elsewhere.
 */
export async function serverIdentity(stateDir: string): Promise<ServerIdentity> {
  const path = join(stateDir, "server.pem");
  if (!existsSync(path)) await make(stateDir, path);
  const pem = readFileSync(path, "utf8");
  return { pem, certificatePem: pem.slice(0, pem.indexOf("-----BEGIN PRIVATE KEY-----")) };
}

async function make(stateDir: string, path: string): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair();
  const subject = [{ CN: [AUTHORITY_NAME] }];
  const now = Date.now();
  const certificate = await makeCertificate(
    {
      subject,
      publicKey,
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(now + LIFETIME_MS),
      extensions: [
        new SubjectAlternativeNameExtension([{ type: "dns", value: AUTHORITY_NAME }]),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      ],
    },
    { name: subject, key: privateKey },
  );
  makePrivateFolder(stateDir);
  createPrivateFile(path, `${certificate.toString("pem")}\n${await privateKeyToPem(privateKey)}`);
}
