// Controls an application from outside the pod network: HTTP on a unix socket named after the pod's address. To read its
// counts, or to make it fail, sends nothing between the pods.
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
 * @param {(path: string, query: URLSearchParams) => unknown} answer returns the answer, or a promise of it; it is sent as JSON.
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

/** Ends the process at once on a signal, so that removing the pod takes no time. */
export function endOnSignal() {
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0));
}
