/** A Kubernetes Node. The cluster says which addresses it has; pods cannot. */
export interface Node {
  readonly name: string;
  /** IPv4 and IPv6 addresses in canonical text form. */
  readonly addresses: readonly string[];
}
