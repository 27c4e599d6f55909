export interface SignedCertificate {
  /** The certificate first, then the authorities between it and a root. */
  readonly chainPem: string;
  /** The generation under which it was signed. */
  readonly generation: string;
}

/** Who makes certificates of requests. Whether one may be had is decided before. */
export interface CertificateSigner {
  /** Only the key of `csr` counts. Throws AmbitError `bad-request`, `issuer-expired`. */
  sign(csr: string, spiffeId: string, lifetimeMs: number): Promise<SignedCertificate>;
  /** By what peers are verified: certificates in PEM. */
  roots(): string;
  /** Names the root under which it signs now. Certificates of another generation are to be replaced. */
  generation(): string;
  /** Looks whether what it signs by has been replaced outside. Throws where that cannot be used; it goes on with what it had. */
  refresh?(): Promise<void>;
  /** Why what is there now cannot be used; undefined where it can. */
  trouble?(): string | undefined;
}
