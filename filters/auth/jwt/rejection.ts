import { GrpcStatusValues, noteGarbage, Pairs, send_local_response } from "../../../assembly/index";
import { Bytes } from "../../bytes";

/** Why a token is rejected; `reason` is for the access log and for programs, `text` for people. */
export class Rejection {
  constructor(
    readonly reason: string,
    readonly text: string,
  ) {}
}

export const TOO_LARGE = new Rejection("too_large", "the token is larger than 16 kB");
export const SEVERAL = new Rejection("several_tokens", "there is more than one token where one is expected");
export const MALFORMED = new Rejection("malformed", "the token is no signed JSON Web Token");
export const ALGORITHM = new Rejection("algorithm_not_allowed", "tokens may not be signed with the token's algorithm");
export const ISSUER = new Rejection("unknown_issuer", "the token's issuer is not one that is trusted here");
export const AUDIENCE = new Rejection("wrong_audience", "the token is for another audience");
export const EXPIRED = new Rejection("expired", "the token has expired");
export const NOT_YET = new Rejection("not_yet_valid", "the token is not valid yet");
export const NO_KEYS = new Rejection("no_keys", "the keys of the token's issuer are not known yet");
export const KEY = new Rejection("unknown_key", "the token's issuer has no such key");
export const SIGNATURE = new Rejection("wrong_signature", "the token's signature is wrong");

/** RFC 6750 section 3: answers the request. */
export function reject(rejection: Rejection, host: Bytes): void {
  noteGarbage(2048);
  const realm = isPlain(host) ? 'Bearer realm="' + host.text() + '", ' : "Bearer ";
  send_local_response(
    401,
    "ambit_jwt:" + rejection.reason,
    "Unauthorized: " + rejection.text,
    GrpcStatusValues.Unauthenticated,
    Pairs.of("www-authenticate", realm + 'error="invalid_token", error_description="' + rejection.text + '"'),
  );
}

/** A host and port, and nothing that could end the quoted string it is put into. */
function isPlain(host: Bytes): bool {
  if (host.size == 0 || host.size > 255) return false;
  for (let i: usize = 0; i < host.size; i++) {
    const code = load<u8>(host.start + i);
    if (code <= 0x20 || code >= 0x7f || code == 0x22 || code == 0x5c) return false;
  }
  return true;
}
