import { TokenRule } from "./rule";
import { Location, Where } from "./location";
import { JwtRule } from "../../config";

/** Where the rules of a destination expect tokens, each place once. */
export class Locations {
  readonly headers: Location[] = [];
  readonly params: Location[] = [];
  readonly cookies: Location[] = [];

  add(rule: TokenRule, config: JwtRule): void {
    const fromHeaders = config.fromHeaders;
    const fromParams = config.fromParams;
    const fromCookies = config.fromCookies;
    if (fromHeaders.length == 0 && fromParams.length == 0 && fromCookies.length == 0) {
      // RFC 6750 sections 2.1 and 2.3, as Istio has it.
      addTo(this.headers, Where.Header, "authorization", "Bearer ", rule);
      addTo(this.params, Where.Param, "access_token", "", rule);
    }
    for (let i = 0; i < fromHeaders.length; i++) {
      addTo(this.headers, Where.Header, fromHeaders[i].name, fromHeaders[i].prefix, rule);
    }
    for (let i = 0; i < fromParams.length; i++) addTo(this.params, Where.Param, fromParams[i], "", rule);
    for (let i = 0; i < fromCookies.length; i++) addTo(this.cookies, Where.Cookie, fromCookies[i], "", rule);
  }
}

function addTo(list: Location[], where: Where, name: string, prefix: string, rule: TokenRule): void {
  let location: Location | null = null;
  for (let i = 0; i < list.length; i++) if (list[i].isSame(where, name, prefix)) location = list[i];
  if (location === null) {
    location = new Location(where, name, prefix);
    list.push(location);
  }
  if (!location.rules.includes(rule)) location.rules.push(rule);
}
