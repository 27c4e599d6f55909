import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuiltInSigner } from "../../agent/identity/authority/built-in-signer.ts";
import { makeRequest } from "../../agent/identity/x509/certificate-request.ts";
import { makeCertificate } from "../../agent/identity/x509/make-certificate.ts";
import { generateKeyPair, privateKeyToPem } from "../../agent/identity/x509/keys.ts";
import { SubjectAlternativeNameExtension } from "../../agent/identity/x509/x509.ts";
import { labStateDir } from "./mesh-lab.ts";

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const trustDomain = "cluster.local";

/** Certificates as a thief might have them, and as somebody might make them himself. */
export class StolenCertificates {
  readonly #folder = mkdtempSync(join(tmpdir(), "ambit-strict-"));
  readonly #lab: string;

  constructor(lab: string) {
    this.#lab = lab;
  }

  /** By the lab's own authority; with a negative lifetime, one that has ended. */
  ofTheMesh(account: string, lifetimeMs = DAY_MS): Promise<CertificateFiles> {
    return this.#signed(`mesh-${account}`, join(labStateDir(this.#lab), "authority"), account, lifetimeMs);
  }

  /** By an authority that nobody in the lab trusts, under the same name. */
  ofAnotherMesh(account: string): Promise<CertificateFiles> {
    return this.#signed(`other-${account}`, join(this.#folder, "authority"), account, DAY_MS);
  }

  async selfSigned(account: string): Promise<CertificateFiles> {
    const keys = await generateKeyPair();
    const certificate = await makeCertificate(
      {
        subject: [],
        publicKey: keys.publicKey,
        notBefore: new Date(Date.now() - HOUR_MS),
        notAfter: new Date(Date.now() + DAY_MS),
        extensions: [new SubjectAlternativeNameExtension([{ type: "url", value: idOf(account) }], true)],
      },
      { name: [], key: keys.privateKey },
    );
    return this.#write(`own-${account}`, certificate.toString("pem"), await privateKeyToPem(keys.privateKey));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #signed(name: string, authority: string, account: string, lifetimeMs: number): Promise<CertificateFiles> {
    const signer = await BuiltInSigner.open({ folder: authority, trustDomain });
    const { csrPem, keyPem } = await makeRequest(idOf(account));
    const { chainPem } = await signer.sign(csrPem, idOf(account), lifetimeMs);
    return this.#write(name, chainPem, keyPem);
  }

  #write(name: string, certificatePem: string, keyPem: string): CertificateFiles {
    const [certificate, key] = [join(this.#folder, `${name}.pem`), join(this.#folder, `${name}.key`)];
    writeFileSync(certificate, certificatePem);
    writeFileSync(key, keyPem, { mode: 0o600 });
    return { certificate, key };
  }
}

function idOf(account: string): string {
  return `spiffe://${trustDomain}/ns/shop/sa/${account}`;
}
