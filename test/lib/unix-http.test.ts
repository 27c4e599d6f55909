import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { listen } from "../../agent/lib/listen.ts";
import { readBody } from "../../agent/lib/read-body.ts";
import { askUnix } from "../../agent/lib/unix-http.ts";

const folder = mkdtempSync(join(tmpdir(), "ambit-unix-http-"));
const socketPath = join(folder, "test.sock");
let server: Server | undefined;

afterEach(() => stop());
afterAll(() => rmSync(folder, { recursive: true }));

function stop(): void {
  server?.closeAllConnections();
  server?.close();
}

async function answering(listener: RequestListener): Promise<void> {
  server = createServer(listener);
  await listen(server, { socketPath });
}

it("sends a body and gives back status and body, and says when nobody answers", async () => {
  await expect(askUnix(socketPath, "/")).rejects.toMatchObject({ code: "ENOENT" });
  await answering(
    (request, response) =>
      void readBody(request, 100).then((body) =>
        response.writeHead(418).end(`${request.method} ${request.url} ${body}`),
      ),
  );
  const answer = await askUnix(socketPath, "/a?b=c", { method: "POST", body: "hé" });
  expect(answer).toEqual({ status: 418, body: "POST /a?b=c hé" });
  stop();

  await answering(() => undefined);
  const silent = `no answer from ${socketPath} within 50 ms`;
  await expect(askUnix(socketPath, "/", { timeoutMs: 50 })).rejects.toThrow(silent);
  const aborted = { name: "AbortError" };
  await expect(askUnix(socketPath, "/", { signal: AbortSignal.timeout(50) })).rejects.toMatchObject(aborted);
});

it("gives up on an answer that stops in its middle", async () => {
  await answering((_request, response) => void response.writeHead(200).write("the beginning"));
  await expect(askUnix(socketPath, "/", { timeoutMs: 50 })).rejects.toThrow("aborted");
});
