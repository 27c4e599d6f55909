import { AmbitError } from "../../lib/errors.ts";
import type { CertifiedKey } from "./authority-certificate.ts";
import { authorityKeyIdentifier, BACKDATE_MS, makeCertificate } from "./make-certificate.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type Key,
} from "./x509.ts";

export interface WorkloadCertificateContent {
  readonly publicKey: Key;
  readonly spiffeId: string;
  readonly lifetimeMs: number;
  readonly now: number;
}

/**
 * Makes an X.509-SVID (SPIFFE X.509-SVID, 2 and 4) in PEM. Its only name is the identity's URI, which is critical as there
 * is no subject. It serves both ends of TLS and signs nothing. Throws AmbitError `issuer-expired`.
 */
export async function makeWorkloadCertificate(content: WorkloadCertificateContent, by: CertifiedKey): Promise<string> {
  const { publicKey, spiffeId, lifetimeMs, now } = content;
  const issuerEnd = by.certificate.notAfter.getTime();
  if (issuerEnd <= now) {
    throw new AmbitError({
      code: "issuer-expired",
      kind: "system",
      what: "no certificate can be signed",
      why: `the authority's own certificate expired at ${by.certificate.notAfter.toISOString()}`,
      remedy: "give the authority a new certificate",
    });
  }
  const certificate = await makeCertificate(
    {
      subject: [],
      publicKey,
      notBefore: new Date(Math.max(now - BACKDATE_MS, by.certificate.notBefore.getTime())),
      notAfter: new Date(Math.min(now + lifetimeMs, issuerEnd)),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        new SubjectAlternativeNameExtension([{ type: "url", value: spiffeId }], true),
        await SubjectKeyIdentifierExtension.create(publicKey),
        ...authorityKeyIdentifier(by.certificate),
      ],
    },
    { name: by.certificate.subjectName, key: by.key },
  );
  return `${certificate.toString("pem")}\n`;
}
