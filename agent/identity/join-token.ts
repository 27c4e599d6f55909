import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, errnoOf } from "../lib/errors.ts";
import { makePrivateFolder, writePrivateFile } from "../lib/private-file.ts";
import { serverIdentity } from "./server-identity.ts";

/** What a node needs to join: the file that an agent is given. */
export interface JoinFile {
  readonly node: string;
  /** 256 random bits. */
  readonly token: string;
  /** The authority's own certificate in PEM: nobody else gets to see the token. */
  readonly authority: string;
}

/** By node: SHA-256 of its token. A token is random enough to need no salt and no slow hash. */
type TokenHashes = Readonly<Record<string, string>>;

/** Makes a node's join token, in place of one that it had before. */
export async function makeJoinFile(stateDir: string, node: string): Promise<JoinFile> {
  makePrivateFolder(stateDir);
  const { certificatePem: authority } = await serverIdentity(stateDir);
  const token = randomBytes(32).toString("base64url");
  const hashes: TokenHashes = { ...readHashes(hashesIn(stateDir)), [node]: hash(token).toString("hex") };
  writePrivateFile(hashesIn(stateDir), `${JSON.stringify(hashes, undefined, 1)}\n`);
  return { node, token, authority };
}

/** Reads what `makeJoinFile` made. Throws AmbitError `join-file`. */
export function readJoinFile(path: string): JoinFile {
  try {
    const { node, token, authority } = JSON.parse(readFileSync(path, "utf8")) as Partial<JoinFile>;
    if (typeof node === "string" && typeof token === "string" && typeof authority === "string") {
      return { node, token, authority };
    }
    throw new Error("it lacks 'node', 'token' or 'authority'");
  } catch (cause) {
    throw new AmbitError({
      code: "join-file",
      kind: "user",
      what: `${path} is no join token`,
      remedy: "make one where the authority runs: ambit authority token --node NAME",
      cause,
    });
  }
}

/** The tokens that an authority knows: its file is read again when it changes. */
export class JoinTokens {
  readonly #path: string;
  #hashes: TokenHashes = {};
  #version = "";

  constructor(stateDir: string) {
    this.#path = hashesIn(stateDir);
  }

  /** In constant time, for nodes that are not known, too. */
  accepts(node: string, token: string): boolean {
    this.#refresh();
    const known = Object.hasOwn(this.#hashes, node) ? this.#hashes[node] : undefined;
    const expected = known === undefined ? randomBytes(32) : Buffer.from(known, "hex");
    const given = hash(token);
    return expected.length === given.length && timingSafeEqual(expected, given) && known !== undefined;
  }

  #refresh(): void {
    const version = versionOf(this.#path);
    if (version === this.#version) return;
    this.#hashes = readHashes(this.#path);
    this.#version = version;
  }
}

function hash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function hashesIn(stateDir: string): string {
  return join(stateDir, "join-tokens.json");
}

function readHashes(path: string): TokenHashes {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as TokenHashes;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return {};
    throw error;
  }
}

function versionOf(path: string): string {
  const { mtimeMs = 0, ino = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return `${mtimeMs} ${ino}`;
}
