import { randomBytes } from "node:crypto";
import { generateKeyPair } from "./keys.ts";
import { authorityKeyIdentifier, BACKDATE_MS, makeCertificate, type SigningIdentity } from "./make-certificate.ts";
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  type JsonName,
  type Key,
  type KeyPair,
  type X509Certificate,
} from "./x509.ts";

/** A certificate that may sign other certificates, and its key. */
export interface CertifiedKey {
  readonly certificate: X509Certificate;
  readonly key: Key;
}

export interface AuthorityCertificateOptions {
  readonly trustDomain: string;
  readonly now: number;
  readonly lifetimeMs: number;
}

/** Makes a root of trust, which signs itself. */
export async function makeRoot({ trustDomain, now, lifetimeMs }: AuthorityCertificateOptions): Promise<CertifiedKey> {
  const pair = await generateKeyPair();
  const name = nameOf("root", trustDomain);
  return make(name, pair, { name, key: pair.privateKey }, now, lifetimeMs, undefined, undefined);
}

/** Makes the certificate that signs workloads' certificates. It cannot sign further authorities (path length 0). */
export async function makeIntermediate(
  root: CertifiedKey,
  options: AuthorityCertificateOptions,
): Promise<CertifiedKey> {
  const { trustDomain, now } = options;
  const lifetimeMs = Math.min(options.lifetimeMs, root.certificate.notAfter.getTime() - now);
  const by = { name: root.certificate.subjectName, key: root.key };
  const pair = await generateKeyPair();
  return make(nameOf("intermediate", trustDomain), pair, by, now, lifetimeMs, 0, root.certificate);
}

async function make(
  subject: JsonName,
  { publicKey, privateKey }: KeyPair,
  by: SigningIdentity,
  now: number,
  lifetimeMs: number,
  pathLength: number | undefined,
  issuer: X509Certificate | undefined,
): Promise<CertifiedKey> {
  const certificate = await makeCertificate(
    {
      subject,
      publicKey,
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(now + lifetimeMs),
      extensions: [
        new BasicConstraintsExtension(true, pathLength, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(publicKey),
        ...(issuer === undefined ? [] : authorityKeyIdentifier(issuer)),
      ],
    },
    by,
  );
  return { certificate, key: privateKey };
}

/** Every authority has a name of its own, as verifiers look for an issuer by its name first. */
function nameOf(role: string, trustDomain: string): JsonName {
  return [{ O: [trustDomain] }, { CN: [`Ambit ${role} ${randomBytes(4).toString("hex")}`] }];
}
