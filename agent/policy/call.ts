/** Who calls. All are "" for a caller without an identity. */
export interface CallerIdentity {
  readonly principal: string;
  readonly namespace: string;
  /** `namespace/service-account`. */
  readonly serviceAccount: string;
}

/** The parts of one call that policies can ask for. */
export interface AuthzCall extends CallerIdentity {
  /** "tcp": the proxy does not read the bytes, so the call has no request. */
  readonly protocol: "http" | "tcp";
  /** Of a call without an identity: the pod of the mesh that has the source's address. It counts for DENY policies alone. */
  readonly owner?: CallerIdentity | undefined;
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  /** The workload's port. */
  readonly port: number;
  readonly sni: string;
  readonly host: string;
  readonly method: string;
  /** As in the request, with the query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Claims of the request's verified token; undefined: the request has no token. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
}
