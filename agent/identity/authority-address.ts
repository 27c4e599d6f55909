import { AmbitError } from "../lib/errors.ts";
import type { ListenAt } from "../lib/listen.ts";

/** Parses where the authority listens: `unix:/path` or `host:port`. Throws AmbitError `authority-address`. */
export function parseAuthorityAddress(text: string): ListenAt {
  if (text.startsWith("unix:/")) return { socketPath: text.slice("unix:".length) };
  const [, host, port] = /^(.+):(\d{1,5})$/u.exec(text) ?? [];
  if (host !== undefined && Number(port) <= 65_535) {
    return { host: host.replaceAll(/^\[|\]$/gu, ""), port: Number(port) };
  }
  throw new AmbitError({
    code: "authority-address",
    kind: "user",
    what: `'${text}' is no address of an authority`,
    remedy: "give it as unix:/path/of/its/socket or as HOST:PORT",
  });
}
