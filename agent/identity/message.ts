import type { IncomingMessage } from "node:http";
import { AmbitError } from "../lib/errors.ts";
import { readBody } from "../lib/read-body.ts";
import type { NodeReport, SignRequest, Trust } from "./protocol.ts";

const MAX_BYTES = 256 << 10;

/** The body of a request. Throws AmbitError `bad-request` for one that is too long. */
export async function readRequest(message: IncomingMessage): Promise<string> {
  const body = await readBody(message, MAX_BYTES);
  if (body === undefined) throw badRequest(`the request is longer than ${MAX_BYTES} bytes`);
  return body;
}

/** Throws AmbitError `bad-request`. */
export function parseSignRequest(text: string): SignRequest {
  const { spiffeId, csr } = parseObject(text);
  if (typeof spiffeId !== "string" || typeof csr !== "string")
    throw badRequest("'spiffeId' and 'csr' have to be texts");
  return { spiffeId, csr };
}

/** Throws AmbitError `bad-request`. */
export function parseNodeReport(text: string): NodeReport {
  const { trust, generations, atOnce } = parseObject(text);
  if (!Array.isArray(generations) || !generations.every((one) => typeof one === "string")) {
    throw badRequest("'generations' has to be a list of texts");
  }
  return { generations, trust: trust === undefined ? undefined : parseTrust(trust), atOnce: atOnce === true };
}

function parseTrust(value: unknown): Trust {
  const { roots, generation } = typeof value === "object" && value !== null ? (value as Partial<Trust>) : {};
  if (typeof roots !== "string" || typeof generation !== "string") {
    throw badRequest("'trust' has to have the texts 'roots' and 'generation'");
  }
  return { roots, generation };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw badRequest("the request is no JSON object");
}

function badRequest(what: string): AmbitError {
  return new AmbitError({
    code: "bad-request",
    kind: "user",
    what,
    remedy: "use an agent of the same version as the authority",
  });
}
