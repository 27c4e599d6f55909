import { Agent, request } from "node:https";
import { AmbitError } from "../../lib/errors.ts";
import { parseAuthorityAddress } from "../authority-address.ts";
import type { CertificateSource } from "./certificate-store.ts";
import type { ExchangeTransport } from "./authority-exchange.ts";
import type { NodeCredential } from "./node-credential.ts";
import {
  AUTHORITY_NAME,
  EXCHANGE_PATH,
  NODE_HEADER,
  REPORT_PATH,
  SIGN_PATH,
  WATCH_PATH,
  type ExchangeNews,
  type ExchangeQuestion,
  type ExchangeReport,
  type NodeProof,
  type NodeReport,
  type Refusal,
  type SignAnswer,
  type SignRequest,
  type Standing,
  type Trust,
} from "../authority-protocol.ts";

const ANSWER_TIMEOUT_MS = 10_000;
/** Longer than the authority holds a question. */
const HELD_TIMEOUT_MS = 40_000;

/** A node's requests to the authority, over TLS. Its opener closes it, after the certificate store and the exchange. */
export class AuthorityClient implements CertificateSource, ExchangeTransport {
  readonly #address: string;
  readonly #credential: NodeCredential;
  readonly #agent = new Agent({ keepAlive: true, minVersion: "TLSv1.3" });
  readonly #listeners = new Set<() => void>();

  /** Throws AmbitError `authority-address`. */
  constructor(address: string, credential: NodeCredential) {
    parseAuthorityAddress(address);
    this.#address = address;
    this.#credential = credential;
  }

  sign(body: SignRequest, signal: AbortSignal): Promise<SignAnswer> {
    return this.#post<SignAnswer>(SIGN_PATH, body, ANSWER_TIMEOUT_MS, signal);
  }

  watch(body: NodeReport, signal: AbortSignal): Promise<Trust> {
    return this.#post<Trust>(WATCH_PATH, body, HELD_TIMEOUT_MS, signal);
  }

  report(body: ExchangeReport, signal: AbortSignal): Promise<Standing> {
    return this.#post<Standing>(REPORT_PATH, body, ANSWER_TIMEOUT_MS, signal);
  }

  exchange(body: ExchangeQuestion, signal: AbortSignal): Promise<ExchangeNews> {
    return this.#post<ExchangeNews>(EXCHANGE_PATH, body, HELD_TIMEOUT_MS, signal);
  }

  /** Calls `listener` after each answer of the authority, whatever it was about. Returns how to stop that. */
  onAnswer(listener: () => void): () => void {
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post<T>(path: string, body: unknown, timeoutMs: number, signal: AbortSignal): Promise<T> {
    const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const proof = this.#credential.proof();
    const { status, text } = await this.#exchange(proof, path, JSON.stringify(body), within).catch((cause: unknown) => {
      throw this.#silent(cause);
    });
    if (status !== 200) throw refusalOf(text) ?? this.#silent(new Error(`it answered ${status}`));
    for (const listener of this.#listeners) listener();
    return JSON.parse(text) as T; // An authority of this version, known by its key.
  }

  #exchange(
    { node, token, authority }: NodeProof,
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
      remedy: "check that it runs, that this node can reach it, and that this authority made the join token",
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
