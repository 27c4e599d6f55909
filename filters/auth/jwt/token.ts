import { JsonKind, JsonValue } from "../../../assembly/index";
import { Bytes } from "../../bytes";
import { decodeBase64Url } from "./base64url";
import { readJsonObject } from "./json";

const DOT: u8 = 0x2e;

/** A token in its parts (RFC 7515 section 3.1, compact). Nothing in it counts before it has been verified. */
export class Token {
  /** "" if the token names none. */
  kid: string = "";
  /** The signed bytes: the first two parts, and the dot between them. */
  readonly signed: Bytes = new Bytes();
  /** The second part, in base64url. */
  readonly payload: Bytes = new Bytes();

  constructor(
    readonly algorithm: string,
    readonly claims: JsonValue,
    readonly signature: ArrayBuffer,
  ) {}
}

/** null if the text is no signed token. */
export function parseToken(start: usize, size: usize): Token | null {
  const end = start + size;
  const first = find(start, end);
  if (first == end) return null;
  const second = find(first + 1, end);
  if (second == end || find(second + 1, end) != end) return null;
  const header = readPart(start, first);
  const claims = readPart(first + 1, second);
  const signature = decodeBase64Url(second + 1, end - second - 1);
  if (header === null || claims === null || signature === null) return null;
  const algorithm = header.member("alg");
  const kid = header.member("kid");
  if (algorithm === null || algorithm.kind != JsonKind.Text) return null;
  if (kid !== null && kid.kind != JsonKind.Text) return null;
  // RFC 7515 section 4.1.11: a verifier rejects a token with critical parameters that it does not understand.
  if (header.member("crit") !== null) return null;
  const token = new Token(algorithm.text, claims, signature);
  if (kid !== null) token.kid = kid.text;
  token.signed.at(start, second - start);
  token.payload.at(first + 1, second - first - 1);
  return token;
}

function find(from: usize, end: usize): usize {
  let at = from;
  while (at < end && load<u8>(at) != DOT) at++;
  return at;
}

function readPart(start: usize, end: usize): JsonValue | null {
  const bytes = decodeBase64Url(start, end - start);
  return bytes === null ? null : readJsonObject(bytes);
}
