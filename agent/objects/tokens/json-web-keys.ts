import { createPublicKey, type KeyObject } from "node:crypto";
import { messageOf } from "../../lib/errors.ts";
import { TOKEN_ALGORITHMS, type TokenAlgorithm, type VerificationKey } from "../../model/verification-key.ts";

type Json = Readonly<Record<string, unknown>>;

/** The usable keys of a key set, and why the others cannot be used. */
export interface KeySet {
  readonly keys: readonly VerificationKey[];
  readonly skipped: readonly string[];
}

/** Each key is in every proxy's configuration; issuers publish a handful. */
const MAX_KEYS = 100;
const MAX_KID = 1024;

const RSA_ALGORITHMS: readonly TokenAlgorithm[] = ["RS256", "RS384", "RS512"];
/** Node's names for the curves. */
const CURVE_ALGORITHM: Readonly<Record<string, TokenAlgorithm>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};

/** Reads a key set (RFC 7517) from JSON. Returns a string if the text is none: the reason. */
export function readKeySet(text: string): KeySet | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may be anything that a server answered.
    return "it is no JSON";
  }
  const list = isObject(value) ? value["keys"] : undefined;
  if (!Array.isArray(list)) return "it has no list 'keys'";
  if (list.length > MAX_KEYS) return `it has more than ${MAX_KEYS} keys`;
  const keys: VerificationKey[] = [];
  const skipped: string[] = [];
  for (const [index, entry] of list.entries()) {
    const key = readKey(entry);
    if (typeof key === "string") skipped.push(`keys[${index}] ${key}`);
    else keys.push(key);
  }
  return { keys, skipped };
}

function readKey(jwk: unknown): VerificationKey | string {
  if (!isObject(jwk)) return "is no object";
  const { kty, kid = "", use = "sig", alg, key_ops: operations } = jwk;
  if (typeof kid !== "string" || kid.length > MAX_KID) return "has a 'kid' that is no short text";
  if (use !== "sig" || (Array.isArray(operations) && !operations.includes("verify"))) return "is not for signatures";
  if (kty !== "RSA" && kty !== "EC") return "is neither an RSA nor an EC key";
  // Ambit keeps the public part alone, even if somebody has published the private part.
  const publicPart =
    kty === "RSA" ? { kty, n: jwk["n"], e: jwk["e"] } : { kty, crv: jwk["crv"], x: jwk["x"], y: jwk["y"] };
  let key: KeyObject;
  try {
    key = createPublicKey({ key: publicPart as Readonly<Record<string, string>>, format: "jwk" });
  } catch (error) {
    return `is no key: ${messageOf(error)}`;
  }
  const able = algorithmsOf(key);
  if (able.length === 0)
    return kty === "RSA" ? "is an RSA key of less than 2048 bits" : "is on a curve that is not served";
  const algorithms = alg === undefined ? able : able.filter((algorithm) => algorithm === alg);
  if (algorithms.length === 0) return `has an 'alg' that is not one of ${TOKEN_ALGORITHMS.join(", ")}, or not its own`;
  return { kid, algorithms, spki: key.export({ format: "der", type: "spki" }).toString("base64url") };
}

function algorithmsOf({ asymmetricKeyDetails: details }: KeyObject): readonly TokenAlgorithm[] {
  if (details?.modulusLength !== undefined) return details.modulusLength >= 2048 ? RSA_ALGORITHMS : [];
  const algorithm = CURVE_ALGORITHM[details?.namedCurve ?? ""];
  return algorithm === undefined ? [] : [algorithm];
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
