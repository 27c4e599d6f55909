import { chmodSync, rmSync } from "node:fs";
import type { Server } from "node:net";

/** Where a server listens: a unix socket (made with mode 0600), or an address. */
export type ListenAt = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** Resolves when it listens. A socket that an earlier process has left is replaced. */
export async function listen(server: Server, at: ListenAt): Promise<void> {
  if ("socketPath" in at) rmSync(at.socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    if ("socketPath" in at) server.listen(at.socketPath, resolve);
    else server.listen(at.port, at.host, resolve);
  });
  if ("socketPath" in at) chmodSync(at.socketPath, 0o600);
}
