import { Agent, request } from "node:https";
import { AmbitError } from "../lib/errors.ts";
import { parseAuthorityAddress } from "./authority-address.ts";
import type { CertificateSource } from "./certificate-source.ts";
import type { JoinFile } from "./join-token.ts";
import {
  AUTHORITY_NAME,
  NODE_HEADER,
  SIGN_PATH,
  WATCH_PATH,
  type NodeReport,
  type Refusal,
  type SignAnswer,
  type SignRequest,
  type Trust,
} from "./protocol.ts";

const SIGN_TIMEOUT_MS = 10_000;
/** Longer than the authority holds a question. */
const WATCH_TIMEOUT_MS = 40_000;

/** Asks the authority, over TLS by the certificate that came with the join token. */
export class AuthorityClient implements CertificateSource {
  readonly #address: string;
  readonly #join: () => JoinFile;
  readonly #agent = new Agent({ keepAlive: true, minVersion: "TLSv1.3" });

  /** `join` is asked each time: a token may be replaced by a newer one. Throws AmbitError `authority-address`. */
  constructor(address: string, join: () => JoinFile) {
    parseAuthorityAddress(address);
    this.#address = address;
    this.#join = join;
  }

  sign(body: SignRequest, signal: AbortSignal): Promise<SignAnswer> {
    return this.#post<SignAnswer>(SIGN_PATH, body, SIGN_TIMEOUT_MS, signal);
  }

  watch(body: NodeReport, signal: AbortSignal): Promise<Trust> {
    return this.#post<Trust>(WATCH_PATH, body, WATCH_TIMEOUT_MS, signal);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post<T>(path: string, body: unknown, timeoutMs: number, signal: AbortSignal): Promise<T> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const join = this.#join();
    const { status, text } = await this.#exchange(join, path, JSON.stringify(body), within).catch((cause: unknown) => {
      throw this.#silent(cause);
    });
    if (status === 200) return JSON.parse(text) as T; // An authority of this version, known by its key.
    throw refusalOf(text) ?? this.#silent(new Error(`it answered ${status}`));
  }

  #exchange(
    { node, token, authority }: JoinFile,
    path: string,
    body: string,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          ...parseAuthorityAddress(this.#address),
          path,
          method: "POST",
          agent: this.#agent,
          ca: authority,
          servername: AUTHORITY_NAME,
          headers: {
            host: AUTHORITY_NAME,
            authorization: `Bearer ${token}`,
            [NODE_HEADER]: node,
            "content-length": Buffer.byteLength(body),
          },
          signal,
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on("error", reject);
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }),
          );
        },
      );
      call.on("error", reject);
      call.end(body);
    });
  }

  #silent(cause: unknown): AmbitError {
    return new AmbitError({
      code: "authority-silent",
      kind: "system",
      what: `the authority at ${this.#address} does not answer`,
      remedy: "see that it runs, that it can be reached from this node, and that the join token is of this authority",
      cause,
    });
  }
}

function refusalOf(text: string): AmbitError | undefined {
  try {
    const { code, kind, what, why, remedy } = JSON.parse(text) as Refusal;
    return new AmbitError({ code, kind, what, why, remedy });
  } catch {
    return undefined;
  }
}
