/** The empty list of values. All identities share it, and nothing changes it. */
const NO_VALUES: string[] = [];

/**
 * The identity in a request's verified token. Only verified claims come here; without a token all fields are empty.
 * Policies read tokens only through this object, and the verifier keeps one for each token that it has seen.
 */
export class RequestIdentity {
  /** `iss/sub`; "" without a token. */
  principal: string = "";
  /** `aud`, one or several. */
  audiences: string[] = NO_VALUES;
  /** `azp`. */
  presenter: string = "";
  private readonly claims: Map<string, string[]> = new Map<string, string[]>();

  /** Set by the verifier: the values of a claim. The path of a nested claim has all names. */
  put(path: string[], values: string[]): void {
    this.claims.set(path.join("\0"), values);
  }

  /**
   * A claim's values: one for a string, each of a list, each word of `scope`; none where there is no such claim. By the path's
   * names joined by NUL, so that a policy joins them once.
   */
  at(joined: string): string[] {
    return this.claims.has(joined) ? this.claims.get(joined) : NO_VALUES;
  }
}

/** The identity of a request without a verified token. */
export const NO_IDENTITY = new RequestIdentity();
