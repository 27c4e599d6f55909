// A way into an application beside the network: HTTP on a unix socket named after the pod's address. Looking at it, or
// telling it to misbehave, so disturbs nothing of what travels between the pods.
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

/** The pod's own IPv4 address. */
export function podAddress() {
  const all = Object.values(networkInterfaces()).flat();
  return all.find((address) => address !== undefined && !address.internal && address.family === "IPv4")?.address ?? "";
}

/**
 * @param {(path: string, query: URLSearchParams) => unknown} answer makes the JSON of the answer, at once or later.
 */
export function serveControl(answer) {
  const folder = process.env["CONTROL_DIR"];
  if (folder === undefined) return;
  const socket = join(folder, `${podAddress()}.sock`);
  rmSync(socket, { force: true });
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://control");
    try {
      const result = await answer(url.pathname, url.searchParams);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result ?? {}));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  server.listen(socket);
}

/** Ends at once when told to: a pod is never worth waiting for. */
export function endOnSignal() {
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0));
}
