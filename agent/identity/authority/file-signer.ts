import { SYSTEM_CLOCK, type Clock } from "../../lib/clock.ts";
import { describe } from "../../lib/errors.ts";
import type { CertifiedKey } from "../x509/authority-certificate.ts";
import { readAuthorityFiles, versionOfFiles, type AuthorityFiles } from "./authority-files.ts";
import { keyOfRequest } from "../x509/certificate-request.ts";
import { generationName } from "./generation.ts";
import { importPrivateKey } from "../x509/keys.ts";
import type { CertificateSigner, SignedCertificate } from "./signer.ts";
import { makeWorkloadCertificate } from "../x509/workload-certificate.ts";
import { X509Certificate } from "../x509/x509.ts";

interface Loaded {
  readonly files: AuthorityFiles;
  readonly issuer: CertifiedKey;
}

/**
 * Signs with an intermediate from elsewhere. Its files may be replaced while it runs. To change the root, first add the new
 * root to root-cert.pem, then replace the other files, then remove the old root.
 */
export class FileSigner implements CertificateSigner {
  readonly #folder: string;
  readonly #clock: Clock;
  #loaded: Loaded;
  #version: string;
  #trouble: string | undefined;

  private constructor(folder: string, clock: Clock, loaded: Loaded, version: string) {
    this.#folder = folder;
    this.#clock = clock;
    this.#loaded = loaded;
    this.#version = version;
  }

  /** Throws AmbitError `authority-files`, `key-not-usable`. */
  static async open(folder: string, clock: Clock = SYSTEM_CLOCK): Promise<FileSigner> {
    const version = versionOfFiles(folder);
    return new FileSigner(folder, clock, await load(folder, clock), version);
  }

  /** Reads changed files. Throws what `open` throws, once for each change, and goes on with the earlier files. */
  async refresh(): Promise<void> {
    const version = versionOfFiles(this.#folder);
    if (version === this.#version) return;
    this.#version = version;
    try {
      this.#loaded = await load(this.#folder, this.#clock);
      this.#trouble = undefined;
    } catch (error) {
      this.#trouble = describe(error);
      throw error;
    }
  }

  async sign(csr: string, spiffeId: string, lifetimeMs: number): Promise<SignedCertificate> {
    const publicKey = await keyOfRequest(csr);
    const { files, issuer } = this.#loaded;
    const leaf = await makeWorkloadCertificate({ publicKey, spiffeId, lifetimeMs, now: this.#clock.now() }, issuer);
    return { chainPem: `${leaf}${files.chainPem}`, generation: generationName(files.rootPem) };
  }

  trouble(): string | undefined {
    return this.#trouble;
  }

  roots(): string {
    return this.#loaded.files.rootsPem;
  }

  generation(): string {
    return generationName(this.#loaded.files.rootPem);
  }
}

async function load(folder: string, clock: Clock): Promise<Loaded> {
  const files = readAuthorityFiles(folder, clock.now());
  const issuer = { certificate: new X509Certificate(files.certificatePem), key: await importPrivateKey(files.keyPem) };
  return { files, issuer };
}
