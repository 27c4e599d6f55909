// The only importer of the X.509 library. Its decorators need reflect-metadata, loaded first.
import "reflect-metadata";
import type { webcrypto } from "node:crypto";

export {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type Extension,
  type JsonName,
  type Name,
} from "@peculiar/x509";

export type Key = webcrypto.CryptoKey;
export type KeyPair = webcrypto.CryptoKeyPair;
