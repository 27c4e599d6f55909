// Installs the programs that tests run and that this machine lacks: Debian's packages, by apt-get, as root. Tests alone need
// them, so only `npm test` calls this. Where a program is still missing, the tests that need it are skipped and say so.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Program → Debian package. */
const PACKAGES = {
  bash: "bash",
  ip: "iproute2",
  nft: "nftables",
  nsenter: "util-linux",
  openssl: "openssl",
  setsid: "util-linux",
};

const missing = Object.entries(PACKAGES).filter(([program]) => !isOnPath(program));
if (missing.length > 0)
  install(missing.map(([program]) => program).join(", "), [...new Set(missing.map(([, name]) => name))]);

/** @param {string} program */
function isOnPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @param {string} programs @param {readonly string[]} packages */
function install(programs, packages) {
  const command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", ...packages];
  const byHand = `install ${packages.join(", ")} by hand`;
  if (process.getuid?.() !== 0) return warn(`tests need ${programs}, and only root may install them: ${byHand}`);
  process.stderr.write(`tests: installing ${packages.join(", ")}, because tests need ${programs}\n`);
  let result = aptGet(command);
  // A machine that never read the lists of packages knows none, and one that read them long ago knows versions that are gone.
  if (result.status !== 0) {
    aptGet(["apt-get", "update", "--quiet"]);
    result = aptGet(command);
  }
  if (result.status === 0) return;
  const said = (result.error?.message ?? result.stderr).trim();
  warn(`'${command.join(" ")}' failed, so tests lack ${programs}: ${byHand}\n${said}`);
}

/** @param {readonly string[]} command */
function aptGet([file = "", ...args]) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // Another apt-get may be under way: it is waited for.
  return spawnSync(file, ["-o", "DPkg::Lock::Timeout=120", ...args], { encoding: "utf8", env });
}

/** @param {string} message */
function warn(message) {
  process.stderr.write(`tests: ${message}\n`);
}
