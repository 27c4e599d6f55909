import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, get, type Server } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askUnix } from "../../agent/lib/unix-http.ts";
import { bootstrap } from "../../agent/envoy/bootstrap.ts";
import { ensureEnvoy } from "../../agent/envoy/find-envoy.ts";
import { start, type Child } from "../../agent/lib/exec.ts";

/** A real Envoy that asks for its configuration on a unix socket; it ends with the test process. */
export class TestEnvoy {
  readonly folder = mkdtempSync(join(tmpdir(), "ambit-xds-"));
  readonly adsSocket = join(this.folder, "ads.sock");
  readonly adminSocket = join(this.folder, "admin.sock");
  #child: Child | undefined;

  async start(): Promise<void> {
    const { path } = await ensureEnvoy();
    const config = join(this.folder, "bootstrap.json");
    const options = { node: "test", adsSocket: this.adsSocket, adminSocket: this.adminSocket };
    writeFileSync(config, JSON.stringify(bootstrap(options)));
    const log = join(this.folder, "envoy.log");
    const args = ["--config-path", config, "--disable-hot-restart", "--concurrency", "1", "--log-path", log];
    this.#child = start(path, args, { stdio: "ignore" });
  }

  async ready(): Promise<boolean> {
    if (!existsSync(this.adminSocket)) return false;
    return askUnix(this.adminSocket, "/ready", { timeoutMs: 2_000 }).then(
      ({ body }) => body.startsWith("LIVE"),
      () => false,
    );
  }

  /** One of Envoy's counters or gauges. */
  async statistic(name: string): Promise<number> {
    const { body } = await askUnix(this.adminSocket, `/stats?filter=^${name}$`, { timeoutMs: 2_000 });
    return Number(body.split(": ")[1] ?? Number.NaN);
  }

  log(): string {
    return readFileSync(join(this.folder, "envoy.log"), "utf8");
  }

  /** Ends it; the next `start` starts one that knows nothing. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.adminSocket, { force: true });
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A port of 127.0.0.1 that nobody has at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An HTTP server that answers everything with `body`. */
export async function upstream(body: string): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createHttpServer((_, response) => response.end(body));
  return { port: await listen(server), server };
}

function listen(server: Server | ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** Status and body of a GET, on a connection of its own. */
export function fetchText(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
    }).on("error", reject);
  });
}
