import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listen, refuseSecond } from "../../agent/lib/listen.ts";

let folder: string;
let server: Server;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ambit-listen-"));
  server = createServer();
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

it("says why nothing can be served somewhere, and what to do", async () => {
  const cases = [
    [{ host: "203.0.113.1", port: 0 }, "this machine has no such address"],
    [{ socketPath: join(folder, "no/such.sock") }, undefined],
  ] as const;
  for (const [at, why] of cases) {
    await expect(listen(server, at)).rejects.toMatchObject({ code: "cannot-listen", why });
  }
  await listen(server, { host: "127.0.0.1", port: 0 });
  const { port } = server.address() as { readonly port: number };
  const second = listen(createServer(), { host: "127.0.0.1", port });
  await expect(second).rejects.toMatchObject({ why: "something listens there already" });
});

it("refuses a second one where one answers, and not where one has ended", async () => {
  const socketPath = join(folder, "admin.sock");
  await refuseSecond("agent", folder, socketPath);
  await listen(server, { socketPath });
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  await expect(refuseSecond("agent", folder, socketPath)).rejects.toMatchObject({ code: "runs-already" });
  const killed = join(folder, "killed.sock");
  const script = `require("node:net").createServer().listen(${JSON.stringify(killed)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  expect(existsSync(killed)).toBe(true);
  await refuseSecond("agent", folder, killed);
});
