import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { json, serve } from "../../agent/lib/http-server.ts";
import { ask } from "../../agent/cli/ask.ts";
import { createLogger } from "../../agent/lib/log.ts";

const folder = mkdtempSync(join(tmpdir(), "ambit-ask-"));
const socket = join(folder, "admin.sock");
let agent: Server;

beforeAll(async () => {
  const handlers = { "/status": () => json({ node: "node-1" }) };
  agent = await serve({ socketPath: socket }, handlers, createLogger("test", "silent"));
});
afterAll(() => {
  agent.close();
  rmSync(folder, { recursive: true });
});

it("does not take an agent's socket for an authority's", async () => {
  expect(await ask("agent", socket, "/status")).toEqual({ node: "node-1" });
  for (const [path, method] of [
    ["/status", "GET"],
    ["/rotate-root", "POST"],
  ] as const) {
    await expect(ask("authority", socket, path, method)).rejects.toMatchObject({
      code: "wrong-socket",
      message: `no authority listens at ${socket}, but another process does`,
    });
  }
});

it("reports an agent that does not answer", async () => {
  await expect(ask("agent", join(folder, "nobody.sock"), "/status")).rejects.toMatchObject({ code: "agent-silent" });
});
