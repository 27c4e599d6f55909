export interface SignedCertificate {
  /** The certificate first, then the authorities between it and a root. */
  readonly chainPem: string;
  /** The generation under which it was signed. */
  readonly generation: string;
}

/** Signs certificates. `Authority` has decided before that the node may have one. */
export interface CertificateSigner {
  /** Of `csr` only the key counts. Throws AmbitError `bad-request`, `issuer-expired`. */
  sign(csr: string, spiffeId: string, lifetimeMs: number): Promise<SignedCertificate>;
  /** The roots by which peers are verified, in PEM. */
  roots(): string;
  /** Name of the root under which it signs. Nodes replace certificates of another generation. */
  generation(): string;
  /** Takes keys and certificates that were replaced outside. Throws if they cannot be used, and goes on with earlier ones. */
  refresh?(): Promise<void>;
  /** Why the present keys and certificates cannot be used; undefined if they can. */
  trouble?(): string | undefined;
}
