import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../lib/errors.ts";
import { makePrivateFolder, writePrivateFile } from "../../lib/private-file.ts";
import type { NodeProof } from "../authority-protocol.ts";
import { serverIdentity } from "./server-identity.ts";

/** SHA-256 of each node's token, by node. A random token needs no salt and no slow hash. */
type TokenHashes = Readonly<Record<string, string>>;

/** Makes the content of a node's join token file. The token has 256 random bits and replaces an earlier one. */
export async function makeJoinFile(stateDir: string, node: string): Promise<NodeProof> {
  makePrivateFolder(stateDir);
  const { certificatePem: authority } = await serverIdentity(stateDir);
  const token = randomBytes(32).toString("base64url");
  const hashes: TokenHashes = { ...readHashes(hashesIn(stateDir)), [node]: hash(token).toString("hex") };
  writePrivateFile(hashesIn(stateDir), `${JSON.stringify(hashes, undefined, 1)}\n`);
  return { node, token, authority };
}

/** The tokens that an authority accepts. It reads their file again when that changes. */
export class JoinTokens {
  readonly #path: string;
  #hashes: TokenHashes = {};
  #version = "";

  constructor(stateDir: string) {
    this.#path = hashesIn(stateDir);
  }

  /** In constant time, even for an unknown node. */
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
