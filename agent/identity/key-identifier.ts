import {
  AuthorityKeyIdentifierExtension,
  SubjectKeyIdentifierExtension,
  type Extension,
  type X509Certificate,
} from "./x509.ts";

/**
 * Points to the issuer by the identifier that it gives itself: how that is computed is the issuer's affair (RFC 5280,
 * 4.2.1.2), and OpenSSL takes one that differs for another issuer. None where the issuer gives none.
 */
export function authorityKeyIdentifier(issuer: X509Certificate): readonly Extension[] {
  const own = issuer.getExtension(SubjectKeyIdentifierExtension);
  return own === null ? [] : [new AuthorityKeyIdentifierExtension(own.keyId)];
}
