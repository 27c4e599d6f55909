import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../lib/errors.ts";
import { makePrivateFolder, writePrivateFile } from "../lib/private-file.ts";
import type { NodeProof } from "./node/node-credential.ts";
import { serverIdentity } from "./server-identity.ts";

/** By node: SHA-256 of its token. A token is random enough to need no salt and no slow hash. */
type TokenHashes = Readonly<Record<string, string>>;

/** Makes a node's join token, of 256 random bits, in place of one that it had before: the file that its agent is given. */
export async function makeJoinFile(stateDir: string, node: string): Promise<NodeProof> {
  makePrivateFolder(stateDir);
  const { certificatePem: authority } = await serverIdentity(stateDir);
  const token = randomBytes(32).toString("base64url");
  const hashes: TokenHashes = { ...readHashes(hashesIn(stateDir)), [node]: hash(token).toString("hex") };
  writePrivateFile(hashesIn(stateDir), `${JSON.stringify(hashes, undefined, 1)}\n`);
  return { node, token, authority };
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
