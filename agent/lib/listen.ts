import { chmodSync, rmSync } from "node:fs";
import { connect, type Server } from "node:net";
import { AmbitError, errnoOf } from "./errors.ts";

/** Where a server listens: a unix socket (made with mode 0600), or an address. */
export type ListenAt = { readonly socketPath: string } | { readonly host: string; readonly port: number };

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "something listens there already",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "the name cannot be resolved",
  EACCES: "this user may not",
};

/** Replaces a unix socket that an earlier process has left. Throws AmbitError `cannot-listen`. */
export async function listen(server: Server, at: ListenAt): Promise<void> {
  if ("socketPath" in at) rmSync(at.socketPath, { force: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      if ("socketPath" in at) server.listen(at.socketPath, resolve);
      else server.listen(at.port, at.host, resolve);
    });
  } catch (cause) {
    const where = "socketPath" in at ? at.socketPath : `${at.host}:${at.port}`;
    // For unix sockets libuv reports EACCES in place of ENOENT.
    const why = "socketPath" in at ? undefined : REASONS[errnoOf(cause) ?? ""];
    const remedy =
      "socketPath" in at ? "see whether its folder is there, and whose it is" : "give a free address of this machine";
    throw new AmbitError({
      code: "cannot-listen",
      kind: "user",
      what: `nothing can be served at ${where}`,
      why,
      remedy,
      cause,
    });
  }
  if ("socketPath" in at) chmodSync(at.socketPath, 0o600);
}

/**
 * Two agents, or two authorities, with one state folder would take each other's sockets and files. Throws AmbitError
 * `runs-already` if a process serves the socket. A socket that an ended process has left does not count.
 */
export async function refuseSecond(who: string, stateDir: string, socketPath: string): Promise<void> {
  const isServed = await new Promise<boolean>((resolve) => {
    const probe = connect(socketPath);
    probe.once("error", () => resolve(false));
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
  });
  if (!isServed) return;
  throw new AmbitError({
    code: "runs-already",
    kind: "user",
    what: `an ${who} runs with the state folder ${stateDir} already`,
    why: `it answers at ${socketPath}`,
    remedy: "end it first, or give this one a folder of its own (--state-dir)",
  });
}
