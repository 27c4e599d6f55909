import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createPrivateFile, makePrivateFolder } from "../lib/private-file.ts";
import { BACKDATE_MS, makeCertificate } from "./certificate.ts";
import { generateKeyPair, privateKeyToPem } from "./keys.ts";
import { AUTHORITY_NAME } from "./protocol.ts";
import { ExtendedKeyUsage, ExtendedKeyUsageExtension, SubjectAlternativeNameExtension } from "./x509.ts";

export interface ServerIdentity {
  readonly certificatePem: string;
  /** Certificate and key. */
  readonly pem: string;
}

const LIFETIME_MS = 20 * 365 * 24 * 60 * 60 * 1_000;

/**
 * By what nodes know the authority's server: signed by itself, and handed to each node with its join token. It has
 * nothing to do with the mesh's roots, so these can change, or be someone else's.
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
