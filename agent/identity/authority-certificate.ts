import { randomBytes } from "node:crypto";
import { authorityKeyIdentifier } from "./key-identifier.ts";
import { generateKeyPair } from "./keys.ts";
import { BACKDATE_MS, makeCertificate, type SigningIdentity } from "./certificate.ts";
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

/** A certificate that may sign others, and its key. */
export interface CertifiedKey {
  readonly certificate: X509Certificate;
  readonly key: Key;
}

export interface AuthorityCertificateOptions {
  readonly trustDomain: string;
  readonly now: number;
  readonly lifetimeMs: number;
}

/** A root of trust: signed by itself. */
export async function makeRoot({ trustDomain, now, lifetimeMs }: AuthorityCertificateOptions): Promise<CertifiedKey> {
  const pair = await generateKeyPair();
  const name = nameOf("root", trustDomain);
  return make(name, pair, { name, key: pair.privateKey }, now, lifetimeMs, undefined, undefined);
}

/** What signs workloads' certificates day by day; it cannot make further authorities (path length 0). */
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

/** Each its own: verifiers find an issuer by its name first. */
function nameOf(role: string, trustDomain: string): JsonName {
  return [{ O: [trustDomain] }, { CN: [`Ambit ${role} ${randomBytes(4).toString("hex")}`] }];
}
