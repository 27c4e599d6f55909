import type { IncomingMessage } from "node:http";
import { AmbitError } from "../../lib/errors.ts";
import { readBody } from "../../lib/read-body.ts";
import type { AnnouncedSandbox } from "../../model/exchange.ts";
import type {
  Announcement,
  ExchangeQuestion,
  ExchangeReport,
  NodeReport,
  Position,
  SignRequest,
  Trust,
} from "../authority-protocol.ts";

/** A report of 250 sandboxes has 35 kB. */
const MAX_BYTES = 256 << 10;

/** Reads the body of a request. Throws AmbitError `bad-request` if it is too long. */
export async function readRequest(message: IncomingMessage): Promise<string> {
  const body = await readBody(message, MAX_BYTES);
  if (body === undefined) throw badRequest(`the request is longer than ${MAX_BYTES} bytes`);
  return body;
}

/** Throws AmbitError `bad-request`. */
export function parseSignRequest(text: string): SignRequest {
  const { spiffeId, csr } = parseObject(text);
  if (typeof spiffeId !== "string" || typeof csr !== "string")
    throw badRequest("'spiffeId' and 'csr' have to be strings");
  return { spiffeId, csr };
}

/** Throws AmbitError `bad-request`. */
export function parseNodeReport(text: string): NodeReport {
  const { trust, generations, atOnce } = parseObject(text);
  if (!isStrings(generations)) throw badRequest("'generations' has to be a list of strings");
  return { generations, trust: trust === undefined ? undefined : parseTrust(trust), atOnce: atOnce === true };
}

/** Throws AmbitError `bad-request`. */
export function parseExchangeReport(text: string): ExchangeReport {
  const { announced, follows } = parseObject(text);
  return {
    announced: announced === undefined ? undefined : parseAnnouncement(announced),
    follows: follows === undefined ? undefined : parsePosition(follows),
  };
}

/** Throws AmbitError `bad-request`. */
export function parseExchangeQuestion(text: string): ExchangeQuestion {
  const { knows, incomplete, followed, waitingFor, atOnce } = parseObject(text);
  if (followed !== "alone" && !isCount(followed)) throw badRequest("'followed' has to be a version or 'alone'");
  if (!isStrings(waitingFor) || !isStrings(incomplete)) {
    throw badRequest("'waitingFor' and 'incomplete' have to be lists of strings");
  }
  return {
    knows: knows === undefined ? undefined : parsePosition(knows),
    incomplete,
    followed,
    waitingFor,
    atOnce: atOnce === true,
  };
}

function parseAnnouncement(value: unknown): Announcement {
  const { version, sandboxes } = fieldsOf(value);
  if (!isCount(version) || !Array.isArray(sandboxes) || !sandboxes.every(isSandbox)) {
    throw badRequest(
      "'announced' has to have a 'version' and 'sandboxes', each with the strings 'uid' and 'cookie' and a list of 'addresses'",
    );
  }
  return { version, sandboxes: sandboxes.map(({ uid, cookie, addresses }) => ({ uid, cookie, addresses })) };
}

function parsePosition(value: unknown): Position {
  const { instance, revision } = fieldsOf(value);
  if (typeof instance !== "string" || !isCount(revision)) {
    throw badRequest("a position has to have the string 'instance' and the number 'revision'");
  }
  return { instance, revision };
}

function isSandbox(value: unknown): value is AnnouncedSandbox {
  const { uid, cookie, addresses } = fieldsOf(value);
  return typeof uid === "string" && typeof cookie === "string" && isStrings(addresses);
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function parseTrust(value: unknown): Trust {
  const { roots, generation } = fieldsOf(value);
  if (typeof roots !== "string" || typeof generation !== "string") {
    throw badRequest("'trust' has to have the strings 'roots' and 'generation'");
  }
  return { roots, generation };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // The error below says it.
  }
  throw badRequest("the request is not a JSON object");
}

function badRequest(what: string): AmbitError {
  return new AmbitError({
    code: "bad-request",
    kind: "user",
    what,
    remedy: "use an agent of the same version as the authority",
  });
}
