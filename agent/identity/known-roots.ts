import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { writePrivateFile } from "../lib/private-file.ts";
import { splitPem } from "./pem.ts";

/**
 * The roots that a node has last been told of, kept for the next agent: one that starts while the authority is away knows
 * whom to believe, so that its proxy can call what it has not called before. They are no secret, keys are not among them.
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
      // A full disk: the next agent has to wait for the authority, and this one goes on.
    }
  }
}

/** What cannot be read is not known: the authority will say it again. */
function read(file: string): string {
  try {
    const pem = readFileSync(file, "utf8");
    for (const one of splitPem(pem)) new X509Certificate(one);
    return splitPem(pem).length > 0 ? pem : "";
  } catch {
    return "";
  }
}
