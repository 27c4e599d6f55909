import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";

/** Whose tokens tests take for good. */
export const ISSUER_URL = "https://issuer.example";

type Claims = Readonly<Record<string, unknown>>;

/** Who signs tokens for tests: one key pair, and its public half as a JSON Web Key. */
export class Issuer {
  readonly algorithm: string;
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly #privateKey: KeyObject;

  constructor(algorithm = "ES256", kid = "key-1") {
    this.algorithm = algorithm;
    this.kid = kid;
    const curve = { ES256: "P-256", ES384: "P-384", ES512: "P-521" }[algorithm];
    const { publicKey, privateKey } =
      curve === undefined
        ? generateKeyPairSync("rsa", { modulusLength: 2048 })
        : generateKeyPairSync("ec", { namedCurve: curve });
    this.publicKey = publicKey;
    this.#privateKey = privateKey;
  }

  get jwk(): Claims {
    return { ...this.publicKey.export({ format: "jwk" }), kid: this.kid };
  }

  /** A token with these claims; `header` beside or in place of what belongs there. */
  token(claims: Claims | string, header: Claims = {}): string {
    const signed = `${part({ alg: this.algorithm, kid: this.kid, typ: "JWT", ...header })}.${part(claims)}`;
    const key = { key: this.#privateKey, dsaEncoding: "ieee-p1363" } as const;
    const signature = sign(`sha${this.algorithm.slice(2)}`, Buffer.from(signed), key);
    return `${signed}.${signature.toString("base64url")}`;
  }

  /** The public key, which everybody knows, as the secret of an HMAC. */
  forgedByHmac(claims: Claims): string {
    const secret = this.publicKey.export({ format: "pem", type: "spki" });
    const signed = `${part({ alg: "HS256", kid: this.kid })}.${part(claims)}`;
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  }

  unsigned(claims: Claims): string {
    return `${part({ alg: "none", kid: this.kid })}.${part(claims)}.`;
  }
}

export function keySet(...issuers: readonly Issuer[]): string {
  return JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) });
}

function part(value: Claims | string): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}
