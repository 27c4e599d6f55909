import { Bytes } from "../../bytes";
import { TokenRule } from "./rule";
import { VerifiedToken } from "./verified";

export enum Where {
  Header,
  Param,
  Cookie,
}

/** A place in a request where some rules expect a token, and the token that the current request has there. */
export class Location {
  readonly rules: TokenRule[] = [];
  readonly name: ArrayBuffer;
  readonly prefix: ArrayBuffer;
  /** The name of a scheme in Authorization, which is the same in any case (RFC 9110 section 11.1). */
  readonly isScheme: bool;

  /** How many such headers, parameters or cookies the request has. */
  count: i32 = 0;
  /** The token of the first one. */
  readonly token: Bytes = new Bytes();
  /** The whole parameter or cookie, name and value. */
  readonly whole: Bytes = new Bytes();
  verified: VerifiedToken | null = null;

  constructor(
    readonly where: Where,
    name: string,
    prefix: string,
  ) {
    this.name = String.UTF8.encode(name);
    this.prefix = String.UTF8.encode(prefix);
    this.isScheme = where == Where.Header && prefix.toLowerCase() == "bearer ";
  }

  forget(): void {
    this.count = 0;
    this.verified = null;
  }

  /** The application must not get it. */
  get isTakenAway(): bool {
    const verified = this.verified;
    return verified !== null && !verified.rule.forwards;
  }

  isSame(where: Where, name: string, prefix: string): bool {
    if (this.where != where || String.UTF8.decode(this.name) != name) return false;
    return String.UTF8.decode(this.prefix) == prefix;
  }
}
