import { createPrivateKey, webcrypto, type KeyObject } from "node:crypto";
import { AmbitError } from "../../lib/errors.ts";
import type { Key, KeyPair } from "./x509.ts";

const P256 = { name: "ECDSA", namedCurve: "P-256" } as const;

/** ECDSA P-256: small, quick to make, and supported by every TLS library. */
export function generateKeyPair(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(P256, true, ["sign", "verify"]);
}

export async function privateKeyToPem(key: Key): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", key);
  const lines = Buffer.from(der).toString("base64").replaceAll(/.{64}/gu, "$&\n").trimEnd();
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}

/** Imports PKCS #8, SEC 1 or PKCS #1 in PEM. Throws AmbitError `key-not-usable` unless the key is RSA or ECDSA. */
export function importPrivateKey(pem: string): Promise<Key> {
  const key = createPrivateKey(pem);
  const der = key.export({ format: "der", type: "pkcs8" });
  return webcrypto.subtle.importKey("pkcs8", der, algorithmOf(key), false, ["sign"]);
}

function algorithmOf(key: KeyObject): webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams {
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === "prime256v1") return P256;
  if (curve === "secp384r1") return { name: "ECDSA", namedCurve: "P-384" };
  throw new AmbitError({
    code: "key-not-usable",
    kind: "user",
    what: `a key of the kind ${curve ?? key.asymmetricKeyType ?? "unknown"} cannot sign certificates here`,
    remedy: "use an RSA key, or ECDSA with P-256 or P-384",
  });
}
