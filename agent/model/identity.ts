/** A workload's certificate, as the proxy presents it. */
export interface IdentityCertificate {
  /** Leaf first, then intermediates. PEM. */
  readonly chainPem: string;
  /** PKCS #8, PEM. Kept in memory only. */
  readonly keyPem: string;
}

/** Certificates and roots that the mesh's authority has given to one node. */
export interface Identities {
  /** By SPIFFE ID, `spiffe://` included: of pods that run on this node. */
  readonly certificates: ReadonlyMap<string, IdentityCertificate>;
  /** Every root that is trusted, one after the other; "" while none is known. PEM. */
  readonly rootsPem: string;
}
