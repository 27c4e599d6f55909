import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { writePrivateFile } from "../../lib/private-file.ts";
import { splitPem } from "../x509/pem.ts";

/**
 * The roots that the authority told this node last, in a file. An agent that starts while the authority is away can so
 * verify peers that its proxy has not called before. Roots are not secret; the file has no keys.
 */
export class KnownRoots {
  readonly #file: string;
  #pem: string;

  constructor(file: string) {
    this.#file = file;
    this.#pem = read(file);
  }

  /** "" where none are known. */
  get pem(): string {
    return this.#pem;
  }

  remember(pem: string): void {
    if (pem === this.#pem) return;
    this.#pem = pem;
    try {
      writePrivateFile(this.#file, pem);
    } catch {
      // The disk is full, say: this agent goes on, and the next one has to wait for the authority.
    }
  }
}

/** A file that cannot be read counts as none: the authority tells the roots again. */
function read(file: string): string {
  try {
    const pem = readFileSync(file, "utf8");
    for (const one of splitPem(pem)) new X509Certificate(one);
    return splitPem(pem).length > 0 ? pem : "";
  } catch {
    return "";
  }
}
