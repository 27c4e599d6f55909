import { AmbitError } from "../lib/errors.ts";

/** The reason why a key set could not be fetched. */
export function failure(what: string): AmbitError {
  return new AmbitError({ code: "keys-not-fetched", kind: "user", what });
}
