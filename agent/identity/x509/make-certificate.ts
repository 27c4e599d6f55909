import { randomBytes } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type Extension,
  type JsonName,
  type Key,
  type Name,
  type X509Certificate,
} from "./x509.ts";

/** Clocks of nodes differ a little: a certificate is valid from a minute before it is made. */
export const BACKDATE_MS = 60_000;

export interface CertificateContent {
  /** Empty for none. */
  readonly subject: JsonName;
  readonly publicKey: Key;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Extension[];
}

/** The issuer's name and key. The name stays encoded as the issuer's certificate has it, as verifiers compare bytes. */
export interface SigningIdentity {
  readonly name: JsonName | Name;
  readonly key: Key;
}

export function makeCertificate(content: CertificateContent, by: SigningIdentity): Promise<X509Certificate> {
  const { subject, publicKey, notBefore, notAfter, extensions } = content;
  return X509CertificateGenerator.create({
    subject,
    issuer: by.name,
    publicKey,
    signingKey: by.key,
    signingAlgorithm: signingAlgorithm(by.key),
    serialNumber: randomSerial(),
    notBefore,
    notAfter,
    extensions: [...extensions],
  });
}

/** 127 random bits. The first byte is from 0x40 to 0x7f, so that the number is positive and always of the same length. */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

export function signingAlgorithm(key: Key): { readonly name: string; readonly hash: string } {
  return { name: key.algorithm.name, hash: "SHA-256" };
}

/**
 * Names the issuer by the key identifier in its own certificate, or not at all where that has none. The issuer may compute
 * it in any way (RFC 5280, 4.2.1.2); OpenSSL takes a certificate with a different one for another issuer's.
 */
export function authorityKeyIdentifier(issuer: X509Certificate): readonly Extension[] {
  const own = issuer.getExtension(SubjectKeyIdentifierExtension);
  return own === null ? [] : [new AuthorityKeyIdentifierExtension(own.keyId)];
}
