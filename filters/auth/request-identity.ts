/** Stands for values that are not there: shared, and never changed. */
const NO_VALUES: string[] = [];

/**
 * What a request's verified token says of who asks. Nothing that was not verified is ever put here; without a token all of it
 * is empty. Policies read a token by this alone, and the verifier keeps one for each token that it has seen.
 */
export class RequestIdentity {
  /** `iss/sub`; "" where there is no token. */
  principal: string = "";
  /** `aud`, one or several. */
  audiences: string[] = NO_VALUES;
  /** `azp`. */
  presenter: string = "";
  private readonly claims: Map<string, string[]> = new Map<string, string[]>();

  /** The verifier's: the values of a claim. A claim in a claim has each name in its path. */
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

/** Of a request without a verified token. */
export const NO_IDENTITY = new RequestIdentity();
