import { askAdmin } from "../envoy/admin-client.ts";
import { AmbitError } from "../lib/errors.ts";

/**
 * Asks an agent or an authority at its `admin.sock`; its answer is JSON. Throws AmbitError `agent-silent` or
 * `authority-silent`, and `request-refused` with what it said.
 */
export async function ask<T>(
  who: "agent" | "authority",
  socketPath: string,
  path: string,
  method: "GET" | "POST" = "GET",
): Promise<T> {
  const { status, body } = await askAdmin(socketPath, path, { method }).catch((error: unknown) => {
    throw silent(who, socketPath, error);
  });
  if (status === 200) return JSON.parse(body) as T; // It is of this very version, or newer.
  if (status === 400) throw new AmbitError({ code: "request-refused", kind: "user", what: body.trim() });
  throw silent(who, socketPath, new Error(`it answered ${status}: ${body.trim()}`));
}

function silent(who: string, socketPath: string, cause: unknown): AmbitError {
  return new AmbitError({
    code: `${who}-silent`,
    kind: "system",
    what: `no ${who} answers at ${socketPath}`,
    remedy: "see whether it runs, and whether you may open the socket (it is root's)",
    cause,
  });
}
