import { X509Certificate as NodeCertificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makePrivateFolder, writePrivateFile } from "../../lib/private-file.ts";
import {
  makeIntermediate,
  makeRoot,
  type AuthorityCertificateOptions,
  type CertifiedKey,
} from "../x509/authority-certificate.ts";
import { importPrivateKey, privateKeyToPem } from "../x509/keys.ts";
import { X509Certificate } from "../x509/x509.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const ROOT_LIFETIME_MS = 10 * 365 * DAY_MS;
const INTERMEDIATE_LIFETIME_MS = 365 * DAY_MS;

/** A root and the intermediate below it that signs, in a folder of their own. */
export class Generation {
  /** See `generationName`. */
  readonly name: string;
  readonly root: CertifiedKey;
  readonly #folder: string;
  #intermediate: CertifiedKey;

  private constructor(name: string, root: CertifiedKey, intermediate: CertifiedKey, folder: string) {
    this.name = name;
    this.root = root;
    this.#intermediate = intermediate;
    this.#folder = folder;
  }

  static async make(parent: string, trustDomain: string, now: number): Promise<Generation> {
    const root = await makeRoot({ trustDomain, now, lifetimeMs: ROOT_LIFETIME_MS });
    const intermediate = await makeIntermediate(root, intermediateOptions(trustDomain, now));
    const name = generationName(root.certificate.toString("pem"));
    const folder = join(parent, name);
    makePrivateFolder(folder);
    await save(folder, "intermediate", intermediate);
    await save(folder, "root", root);
    return new Generation(name, root, intermediate, folder);
  }

  static async load(parent: string, name: string): Promise<Generation> {
    const folder = join(parent, name);
    return new Generation(name, await load(folder, "root"), await load(folder, "intermediate"), folder);
  }

  get rootPem(): string {
    return `${this.root.certificate.toString("pem")}\n`;
  }

  /** The intermediate. In its second half a new one replaces it, so that it always outlives the certificates that it signs. */
  async issuer(trustDomain: string, now: number): Promise<CertifiedKey> {
    const { notBefore, notAfter } = this.#intermediate.certificate;
    if (now > (notBefore.getTime() + notAfter.getTime()) / 2 && notAfter < this.root.certificate.notAfter) {
      const fresh = await makeIntermediate(this.root, intermediateOptions(trustDomain, now));
      await save(this.#folder, "intermediate", fresh);
      this.#intermediate = fresh;
    }
    return this.#intermediate;
  }
}

function intermediateOptions(trustDomain: string, now: number): AuthorityCertificateOptions {
  return { trustDomain, now, lifetimeMs: INTERMEDIATE_LIFETIME_MS };
}

/** A root's name: the start of its SHA-256 digest. */
export function generationName(rootPem: string): string {
  return new NodeCertificate(rootPem).fingerprint256.replaceAll(":", "").toLowerCase().slice(0, 16);
}

/** Certificate and key are in one file, so that neither is ever there alone. */
async function save(folder: string, part: string, { certificate, key }: CertifiedKey): Promise<void> {
  writePrivateFile(join(folder, `${part}.pem`), `${certificate.toString("pem")}\n${await privateKeyToPem(key)}`);
}

async function load(folder: string, part: string): Promise<CertifiedKey> {
  const text = readFileSync(join(folder, `${part}.pem`), "utf8");
  const certificate = text.slice(0, text.indexOf("-----BEGIN PRIVATE KEY-----"));
  return { certificate: new X509Certificate(certificate), key: await importPrivateKey(text) };
}
