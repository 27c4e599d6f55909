import { AmbitError } from "../lib/errors.ts";
import { askUnix } from "../lib/unix-http.ts";

const TIMEOUT_MS = 2_000;

/** A top-level field that only the answers of an agent, or of an authority, have. */
const MARKS = { agent: "node", authority: "signing" } as const;

/**
 * Asks an agent or an authority at its `admin.sock`; the answer is JSON. Throws AmbitError `agent-silent` or
 * `authority-silent`, `wrong-socket`, and `request-refused` with the text of the answer.
 */
export async function ask<T>(
  who: keyof typeof MARKS,
  socketPath: string,
  path: string,
  method: "GET" | "POST" = "GET",
): Promise<T> {
  const { status, body } = await askUnix(socketPath, path, { method, timeoutMs: TIMEOUT_MS }).catch(
    (error: unknown) => {
      throw silent(who, socketPath, error);
    },
  );
  if (status === 200) {
    const answer: unknown = JSON.parse(body);
    if (method === "GET" && !isAnswerOf(who, answer)) throw wrongSocket(who, socketPath);
    return answer as T; // The other side has this version or a newer one.
  }
  if (status === 404) throw wrongSocket(who, socketPath);
  if (status === 400) throw new AmbitError({ code: "request-refused", kind: "user", what: body.trim() });
  throw silent(who, socketPath, new Error(`it answered ${status}: ${body.trim()}`));
}

function isAnswerOf(who: keyof typeof MARKS, answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && Object.hasOwn(answer, MARKS[who]);
}

function wrongSocket(who: string, socketPath: string): AmbitError {
  return new AmbitError({
    code: "wrong-socket",
    kind: "user",
    what: `no ${who} listens at ${socketPath}, but another process does`,
    remedy: `give the admin.sock in the ${who}'s --state-dir`,
  });
}

function silent(who: string, socketPath: string, cause: unknown): AmbitError {
  return new AmbitError({
    code: `${who}-silent`,
    kind: "system",
    what: `no ${who} answers at ${socketPath}`,
    remedy: `check that the ${who} runs, and that you are root: only root may open the socket`,
    cause,
  });
}
