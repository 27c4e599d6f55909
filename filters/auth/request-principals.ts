import { Pattern } from "./pattern";
import { RequestIdentity } from "./request-identity";

const EVERY = new Pattern("*");

/** A token's issuer and subject, apart: joined by a slash, part of one could be read as the other. */
class RequestPrincipal {
  private readonly issuer: Pattern;
  private readonly subject: Pattern;

  /** Istio divides at the last slash. Without one, `*` at the start leaves the issuer open, and `*` at the end the subject. */
  constructor(text: string) {
    const slash = text.lastIndexOf("/");
    if (slash >= 0) {
      this.issuer = new Pattern(text.substring(0, slash));
      this.subject = new Pattern(text.substring(slash + 1));
    } else if (text.startsWith("*")) {
      this.issuer = EVERY;
      this.subject = new Pattern(text);
    } else {
      this.issuer = new Pattern(text);
      this.subject = text.endsWith("*") ? EVERY : new Pattern("");
    }
  }

  matches(issuers: string[], subjects: string[]): bool {
    return (
      issuers.length == 1 &&
      subjects.length == 1 &&
      this.issuer.matchesText(issuers[0]) &&
      this.subject.matchesText(subjects[0])
    );
  }
}

/** A condition's pair of lists about the principal of a token. */
export class RequestPrincipals {
  private readonly wanted: RequestPrincipal[];
  private readonly unwanted: RequestPrincipal[];

  constructor(wanted: string[], unwanted: string[]) {
    this.wanted = wanted.map<RequestPrincipal>((text) => new RequestPrincipal(text));
    this.unwanted = unwanted.map<RequestPrincipal>((text) => new RequestPrincipal(text));
  }

  holds(identity: RequestIdentity): bool {
    if (identity.principal.length == 0) return this.wanted.length == 0;
    return (this.wanted.length == 0 || matchesAny(this.wanted, identity)) && !matchesAny(this.unwanted, identity);
  }
}

function matchesAny(list: RequestPrincipal[], identity: RequestIdentity): bool {
  const issuers = identity.at("iss");
  const subjects = identity.at("sub");
  for (let i = 0; i < list.length; i++) if (list[i].matches(issuers, subjects)) return true;
  return false;
}
