import { AmbitError } from "../../lib/errors.ts";
import { generateKeyPair, privateKeyToPem } from "./keys.ts";
import { signingAlgorithm } from "./make-certificate.ts";
import {
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  type Key,
} from "./x509.ts";

export interface RequestWithKey {
  readonly csrPem: string;
  readonly keyPem: string;
}

/** Makes a new key, and the request for its certificate. */
export async function makeRequest(spiffeId: string): Promise<RequestWithKey> {
  const keys = await generateKeyPair();
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: signingAlgorithm(keys.privateKey),
    extensions: [new SubjectAlternativeNameExtension([{ type: "url", value: spiffeId }])],
  });
  return { csrPem: `${request.toString("pem")}\n`, keyPem: await privateKeyToPem(keys.privateKey) };
}

/**
 * The public key of a request, if the request's signature proves that its sender has the private key. Nothing else in a
 * request counts: names in it are wishes. Throws AmbitError `bad-request`.
 */
export async function keyOfRequest(csrPem: string): Promise<Key> {
  let key: Key;
  try {
    const request = new Pkcs10CertificateRequest(csrPem);
    if (!(await request.verify())) throw new Error("its signature is not by its own key");
    key = await request.publicKey.export();
  } catch (cause) {
    throw badRequest("the certificate request cannot be read or does not prove its key", cause);
  }
  const { name, namedCurve = "" } = key.algorithm as { readonly name: string; readonly namedCurve?: string };
  if (name === "ECDSA" && CURVES.includes(namedCurve)) return key;
  throw badRequest(`the certificate request has a key of the kind ${name} ${namedCurve}`);
}

const CURVES: readonly string[] = ["P-256", "P-384"];

function badRequest(what: string, cause?: unknown): AmbitError {
  return new AmbitError({
    code: "bad-request",
    kind: "user",
    what,
    remedy: "send a PKCS #10 request in PEM, with an ECDSA P-256 or P-384 key, signed by that key",
    cause,
  });
}
