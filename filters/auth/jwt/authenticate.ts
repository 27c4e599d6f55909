import { Pairs, stream_context } from "../../../assembly/index";
import { requestHeaders } from "../../request-headers";
import { NO_IDENTITY, RequestIdentity } from "../request-identity";
import { isCookies, noteCookies, takeCookiesAway } from "./cookie-tokens";
import { noteHeader } from "./header-tokens";
import { Location } from "./location";
import { Locations } from "./locations";
import { noteParams, takeParamsAway } from "./param-tokens";
import { MALFORMED, reject, Rejection, SEVERAL } from "./rejection";
import { TokenRules } from "./rules";
import { verdict, verifyToken } from "./verify";

const pairs = new Pairs();
/** A filter has changed the request's headers since they were fetched. */
let isChanged = false;

/** The identity in the token of the last request. */
class Authenticated {
  identity: RequestIdentity = NO_IDENTITY;
}

export const authenticated = new Authenticated();

/**
 * Verifies the tokens of the request whose headers are here. False: the module has answered the request. A request without a
 * token passes, without an identity. Each of several tokens has to be good, and the one in the first place counts.
 * `readsHeaders`: policies look at the request's headers afterwards.
 */
export function authenticate(rules: TokenRules, readsHeaders: bool): bool {
  authenticated.identity = NO_IDENTITY;
  isChanged = false;
  const places = rules.locations;
  look(rules);
  const rejection = verifyAll(places);
  if (rejection !== null) {
    reject(rejection, requestHeaders.host);
    return false;
  }
  takeAway(places.headers);
  takeParamsAway(places.params);
  takeCookiesAway(places.cookies);
  write(places.headers);
  write(places.params);
  write(places.cookies);
  // Policies judge what the application gets.
  if (isChanged && readsHeaders) requestHeaders.reload();
  return true;
}

/** Finds the tokens, and removes the headers that only a verified token may fill. */
function look(rules: TokenRules): void {
  const places = rules.locations;
  forget(places.headers);
  forget(places.params);
  forget(places.cookies);
  noteParams(places.params);
  if (!requestHeaders.each(pairs)) return;
  while (pairs.next()) {
    const name = pairs.keyStart;
    const size = pairs.keySize;
    if (rules.isOutput(name, size)) remove(name, size);
    noteHeader(places.headers, name, size, pairs.valueStart, pairs.valueSize);
    if (places.cookies.length > 0 && isCookies(name, size)) {
      noteCookies(places.cookies, pairs.valueStart, pairs.valueSize);
    }
  }
}

function forget(list: Location[]): void {
  for (let i = 0; i < list.length; i++) list[i].forget();
}

function verifyAll(places: Locations): Rejection | null {
  const first = verifyList(places.headers);
  if (first !== null) return first;
  const second = verifyList(places.params);
  return second !== null ? second : verifyList(places.cookies);
}

function verifyList(list: Location[]): Rejection | null {
  for (let i = 0; i < list.length; i++) {
    const location = list[i];
    if (location.count == 0) continue;
    if (location.count > 1) return SEVERAL;
    if (location.token.size == 0) return MALFORMED;
    if (!verifyToken(location.token.start, location.token.size, location.rules)) return verdict.rejection;
    const verified = verdict.token;
    location.verified = verified;
    if (verified !== null && authenticated.identity === NO_IDENTITY) authenticated.identity = verified.identity;
  }
  return null;
}

function takeAway(list: Location[]): void {
  for (let i = 0; i < list.length; i++) {
    const name = list[i].name;
    if (list[i].isTakenAway) remove(changetype<usize>(name), name.byteLength);
  }
}

function remove(name: usize, size: usize): void {
  stream_context.headers.request.removeAt(name, size);
  isChanged = true;
}

function write(list: Location[]): void {
  for (let i = 0; i < list.length; i++) {
    const verified = list[i].verified;
    if (verified === null) continue;
    isChanged = true;
    for (let j = 0; j < verified.outputs.length; j++) verified.outputs[j].write();
  }
}
