import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_CLOCK, type Clock } from "../../lib/clock.ts";
import { AmbitError } from "../../lib/errors.ts";
import { makePrivateFolder, writePrivateFile } from "../../lib/private-file.ts";
import { keyOfRequest } from "../x509/certificate-request.ts";
import { Generation } from "./generation.ts";
import type { CertificateSigner, SignedCertificate } from "./signer.ts";
import { makeWorkloadCertificate } from "../x509/workload-certificate.ts";

export interface BuiltInSignerOptions {
  /** Holds the keys. The folder is made with mode 0700, its files with 0600. */
  readonly folder: string;
  readonly trustDomain: string;
  readonly clock?: Clock;
}

/** The content of roots.json: which generations there are, and which one signs. */
interface Record {
  readonly trusted: readonly string[];
  readonly signing: string;
}

/** Signs with roots of its own. It makes them here, and their keys never leave the folder. */
export class BuiltInSigner implements CertificateSigner {
  readonly #folder: string;
  readonly #trustDomain: string;
  readonly #clock: Clock;
  #trusted: readonly Generation[];
  #signing: Generation;

  private constructor(options: BuiltInSignerOptions, trusted: readonly Generation[], signing: Generation) {
    this.#folder = options.folder;
    this.#trustDomain = options.trustDomain;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#trusted = trusted;
    this.#signing = signing;
  }

  /** Makes a root and an intermediate if the folder has none. Throws AmbitError `authority-state`. */
  static async open(options: BuiltInSignerOptions): Promise<BuiltInSigner> {
    const { folder, trustDomain, clock = SYSTEM_CLOCK } = options;
    makePrivateFolder(generationsIn(folder));
    if (!existsSync(recordIn(folder))) {
      const first = await Generation.make(generationsIn(folder), trustDomain, clock.now());
      const signer = new BuiltInSigner(options, [first], first);
      signer.#save();
      return signer;
    }
    try {
      const record = JSON.parse(readFileSync(recordIn(folder), "utf8")) as Record;
      const trusted = await Promise.all(record.trusted.map((name) => Generation.load(generationsIn(folder), name)));
      const signing = trusted.find(({ name }) => name === record.signing);
      if (signing === undefined) throw new Error(`${record.signing} is not among ${record.trusted.join(", ")}`);
      return new BuiltInSigner(options, trusted, signing);
    } catch (cause) {
      throw new AmbitError({
        code: "authority-state",
        kind: "system",
        what: `the authority's keys in ${folder} cannot be read`,
        remedy:
          "restore the folder from a copy; with an empty folder the authority makes a new root, which no node trusts yet",
        cause,
      });
    }
  }

  async sign(csr: string, spiffeId: string, lifetimeMs: number): Promise<SignedCertificate> {
    const publicKey = await keyOfRequest(csr);
    const generation = this.#signing;
    const now = this.#clock.now();
    const issuer = await generation.issuer(this.#trustDomain, now);
    const leaf = await makeWorkloadCertificate({ publicKey, spiffeId, lifetimeMs, now }, issuer);
    return { chainPem: `${leaf}${issuer.certificate.toString("pem")}\n`, generation: generation.name };
  }

  roots(): string {
    return this.#trusted.map(({ rootPem }) => rootPem).join("");
  }

  generation(): string {
    return this.#signing.name;
  }

  /** The trusted roots, the oldest first: name and end of each. */
  trusted(): readonly { readonly generation: string; readonly notAfter: Date }[] {
    return this.#trusted.map(({ name, root }) => ({ generation: name, notAfter: root.certificate.notAfter }));
  }

  /** Makes another root. Nodes are to trust it from now on; it signs nothing yet. */
  async addRoot(): Promise<void> {
    const made = await Generation.make(generationsIn(this.#folder), this.#trustDomain, this.#clock.now());
    this.#trusted = [...this.#trusted, made];
    this.#save();
  }

  /** Signs by the newest root from now on. */
  signByNewest(): void {
    this.#signing = this.#trusted.at(-1) ?? this.#signing;
    this.#save();
  }

  /** Drops all roots but the one that signs, and deletes their keys. */
  dropOthers(): void {
    const gone = this.#trusted.filter((one) => one !== this.#signing);
    this.#trusted = [this.#signing];
    this.#save();
    for (const { name } of gone) rmSync(join(generationsIn(this.#folder), name), { recursive: true, force: true });
  }

  #save(): void {
    const record: Record = { trusted: this.#trusted.map(({ name }) => name), signing: this.#signing.name };
    writePrivateFile(recordIn(this.#folder), `${JSON.stringify(record)}\n`);
  }
}

function generationsIn(folder: string): string {
  return join(folder, "roots");
}

function recordIn(folder: string): string {
  return join(folder, "roots.json");
}
