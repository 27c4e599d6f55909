/** What policies can be asked about one call, before it is made. */
export interface AuthzCall {
  /** "tcp": its bytes are not read, so nothing is known of a request. */
  readonly protocol: "http" | "tcp";
  /** "" each where the mesh does not know who calls: a caller outside it has no identity, whatever its address. */
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
  /** As the request has it, with its query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Claims of the token that the request carries and that was verified; undefined: it carries none. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
}
