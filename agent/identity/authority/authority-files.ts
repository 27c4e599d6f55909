import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, errnoOf } from "../../lib/errors.ts";
import { splitPem } from "../x509/pem.ts";

/** File names as in Istio's secret `cacerts`. */
const FILES = {
  certificate: "ca-cert.pem",
  key: "ca-key.pem",
  roots: "root-cert.pem",
  chain: "cert-chain.pem",
} as const;

const FIT = `${FILES.certificate} and ${FILES.key} belong together, ${FILES.chain} leads from them to a root in ${FILES.roots}`;
const REPLACE = "replace it with one that is valid now, and check this machine's clock";

/** The files of a certificate authority from elsewhere, checked to fit together. */
export interface AuthorityFiles {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The certificates between a workload's certificate and a root; nodes get them with each certificate. */
  readonly chainPem: string;
  readonly rootsPem: string;
  /** The root that has signed the top of the chain. */
  readonly rootPem: string;
}

/**
 * Reads the files, and checks them as of `now`. Throws AmbitError `authority-files`, which names the wrong file. Expired
 * roots may stand beside the one to which the chain leads.
 */
export function readAuthorityFiles(folder: string, now: number): AuthorityFiles {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const fail = (name: string, why: string): AmbitError => broken(join(folder, name), why);
  try {
    const certificatePem = splitPem(read(FILES.certificate))[0] ?? "";
    const keyPem = read(FILES.key);
    const roots = splitPem(read(FILES.roots));
    const own = parse(certificatePem, () => fail(FILES.certificate, "it holds no certificate"));
    const rootCertificates = roots.map((pem) => parse(pem, () => fail(FILES.roots, "it cannot be read")));
    if (!own.ca) throw fail(FILES.certificate, "the certificate may not sign others (basicConstraints CA)");
    if (!fits(own, keyPem)) throw fail(FILES.key, `it is not the key of ${FILES.certificate}`);
    const between = chainOf(folder, certificatePem, roots);
    const top = parse(between.at(-1) ?? certificatePem, () => fail(FILES.chain, "it cannot be read"));
    const root = rootCertificates.findIndex((one) => one.raw.equals(top.raw) || isIssuer(one, top));
    if (root < 0)
      throw fail(FILES.roots, `none of its certificates has signed '${top.subject.replaceAll("\n", ", ")}'`);
    const checkDates = (name: string, certificate: X509Certificate | undefined): void => {
      const why = certificate && outOfDate(certificate, now);
      if (why !== undefined) throw broken(join(folder, name), why, undefined, REPLACE);
    };
    checkDates(FILES.certificate, own);
    for (const pem of between) checkDates(FILES.chain, new X509Certificate(pem));
    checkDates(FILES.roots, rootCertificates[root]);
    return { certificatePem, keyPem, chainPem: between.join(""), rootsPem: roots.join(""), rootPem: roots[root] ?? "" };
  } catch (error) {
    if (error instanceof AmbitError) throw error;
    throw broken(folder, "it cannot be read", error);
  }
}

/** A text that changes whenever one of the files does. */
export function versionOfFiles(folder: string): string {
  return Object.values(FILES)
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false }))
    .map((found) => `${found?.mtimeMs ?? 0} ${found?.ino ?? 0}`)
    .join();
}

/** The chain without its root: the authority's own certificate first, each one signed by the next. */
function chainOf(folder: string, certificatePem: string, roots: readonly string[]): readonly string[] {
  const written = splitPem(readOptional(join(folder, FILES.chain)));
  const whole = written[0] === certificatePem ? written : [certificatePem, ...written];
  const chain = whole.filter((pem) => !roots.includes(pem));
  const fail = (why: string): AmbitError => broken(join(folder, FILES.chain), why);
  const certificates = chain.map((pem) => parse(pem, () => fail("it cannot be read")));
  for (const [at, certificate] of certificates.entries()) {
    const next = certificates[at + 1];
    if (next !== undefined && !isIssuer(next, certificate)) {
      throw fail(`its certificates do not follow each other: number ${at + 2} has not signed the one before it`);
    }
  }
  return chain;
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}

function parse(pem: string, fail: () => AmbitError): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw fail();
  }
}

function fits(certificate: X509Certificate, keyPem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

function isIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Why no verifier would accept what this certificate signs; undefined if its dates are right. */
function outOfDate(certificate: X509Certificate, now: number): string | undefined {
  const subject = certificate.subject.replaceAll("\n", ", ");
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (to.getTime() <= now) return `'${subject}' has expired at ${to.toISOString()}`;
  return from.getTime() > now ? `'${subject}' is good only from ${from.toISOString()}` : undefined;
}

function broken(path: string, why: string, cause?: unknown, remedy = FIT): AmbitError {
  return new AmbitError({
    code: "authority-files",
    kind: "user",
    what: `the authority in ${path} cannot be used`,
    why,
    remedy,
    cause,
  });
}
