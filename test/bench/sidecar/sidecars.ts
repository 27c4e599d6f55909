import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exec, tryExec } from "../../../agent/lib/exec.ts";
import { sidecarConfig, type SidecarTls } from "./envoy-config.ts";

/** The user that sidecars run as, so that the redirection leaves their own connections alone. */
const SIDECAR_UID = "1337";
export const HTTP_PORTS = [8080, 8081];

/** Puts sidecars into pods that the mesh leaves alone, as sidecar meshes do: an Envoy and its iptables rules in each. */
export class Sidecars {
  readonly #folder: string;
  readonly #envoy: string;
  readonly #workers: number;
  readonly #running: ChildProcess[] = [];

  /** `envoy`: the binary that Ambit runs, too. `folder` is emptied by whoever made it. */
  constructor(folder: string, envoy: string, workers: number) {
    this.#folder = folder;
    this.#workers = workers;
    // Where the sidecars' user may read it.
    chmodSync(folder, 0o755);
    this.#envoy = join(folder, "envoy");
    copyFileSync(envoy, this.#envoy);
    chmodSync(this.#envoy, 0o755);
  }

  /** Starts one; resolves with its process id once it listens. */
  async start(name: string, netns: string, tls: SidecarTls | undefined): Promise<number> {
    const folder = join(this.#folder, name);
    mkdirSync(folder, { mode: 0o777 });
    chmodSync(folder, 0o777);
    const config = join(folder, "envoy.json");
    writeFileSync(config, JSON.stringify(sidecarConfig(join(folder, "admin.sock"), HTTP_PORTS, tls)));
    await redirect(netns);
    const options = ["--config-path", config, "--concurrency", String(this.#workers), "--disable-hot-restart"];
    const user = ["--reuid", SIDECAR_UID, "--regid", SIDECAR_UID, "--clear-groups"];
    const log = ["--log-level", "error", "--log-path", join(folder, "envoy.log")];
    const child = spawn("nsenter", [`--net=${netns}`, "setpriv", ...user, this.#envoy, ...options, ...log], {
      stdio: "ignore",
    });
    this.#running.push(child);
    for (const deadline = Date.now() + 20_000; !existsSync(join(folder, "admin.sock"));) {
      if (Date.now() > deadline || child.exitCode !== null)
        throw new Error(`sidecar ${name} does not start: ${folder}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (child.pid === undefined) throw new Error(`sidecar ${name} has no process`);
    return child.pid;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#running.splice(0).map(
        (child) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null) return resolve();
            child.once("exit", () => resolve());
            child.kill("SIGKILL");
          }),
      ),
    );
  }
}

/** Everything that comes in and goes out by TCP, but not what the sidecar itself sends, nor what stays on loopback. */
async function redirect(netns: string): Promise<void> {
  const rules = [
    ["PREROUTING", "-p", "tcp", "-j", "REDIRECT", "--to-ports", "15006"],
    ["OUTPUT", "-m", "owner", "--uid-owner", SIDECAR_UID, "-j", "RETURN"],
    ["OUTPUT", "-d", "127.0.0.1/32", "-j", "RETURN"],
    ["OUTPUT", "-p", "tcp", "-j", "REDIRECT", "--to-ports", "15001"],
  ];
  for (const rule of rules) await exec("nsenter", [`--net=${netns}`, "iptables", "-t", "nat", "-A", ...rule]);
}

/** Makes sure that what the comparison needs is there; what is missing is installed with apt-get. */
export async function ensureTools(): Promise<void> {
  const missing = [];
  for (const [command, name] of [
    ["iptables", "iptables"],
    ["openssl", "openssl"],
  ] as const) {
    if ((await tryExec(command, ["--version"])).code !== 0 && (await tryExec(command, ["version"])).code !== 0) {
      missing.push(name);
    }
  }
  if (missing.length === 0) return;
  const { code, stderr } = await tryExec("apt-get", ["install", "-y", "--no-install-recommends", ...missing]);
  if (code !== 0)
    throw new Error(`the sidecars need ${missing.join(" and ")}, and apt-get cannot install it: ${stderr}`);
}

/** An authority and one certificate for each name (ECDSA P-256), as files in `folder`. */
export async function makeCertificates(folder: string, names: readonly string[]): Promise<Map<string, SidecarTls>> {
  const openssl = (...args: readonly string[]) => exec("openssl", args);
  const authority = join(folder, "ca.pem");
  const authorityKey = join(folder, "ca.key");
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  await openssl("req", "-x509", ...newKey, "-subj", "/CN=bench", "-keyout", authorityKey, "-out", authority);
  const made = new Map<string, SidecarTls>();
  for (const name of names) {
    const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    const request = ["req", "-x509", "-CA", authority, "-CAkey", authorityKey, ...newKey, "-subj", `/CN=${name}`];
    await openssl(
      ...request,
      ...["-addext", `subjectAltName=URI:spiffe://bench/sa/${name}`, "-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", key, "-out", certificate],
    );
    chmodSync(key, 0o644);
    made.set(name, { certificate, key, authority });
  }
  return made;
}
