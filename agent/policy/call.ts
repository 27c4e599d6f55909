/** The parts of one call that policies can ask for. */
export interface AuthzCall {
  /** "tcp": the proxy does not read the bytes, so the call has no request. */
  readonly protocol: "http" | "tcp";
  /** "" (like the next two) for a caller outside the mesh, which has no identity whatever its address is. */
  readonly principal: string;
  readonly namespace: string;
  /** `namespace/service-account`. */
  readonly serviceAccount: string;
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
