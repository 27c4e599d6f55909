// Keeps node_modules as package-lock.json describes it.
import * as fs from "node:fs";
import { dirname, join } from "node:path";

/**
 * Compares with the record of npm's last install. The record is right even if the user ran npm, and reading it does not start npm.
 * @param {string} root
 * @returns {boolean}
 */
export function areDependenciesInstalled(root) {
  const installed = readPackages(join(root, "node_modules/.package-lock.json"));
  const wanted = readPackages(join(root, "package-lock.json"));
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === "" || optional === true || installed[path]?.version === version,
  );
}

/** @param {string} file @returns {Record<string, { version?: string, optional?: boolean }> | undefined} */
function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** `npm ci` installs from package-lock.json and does not change it. @returns {string[]} a command */
export function installCommand() {
  // Under npm, npm_execpath is the npm that runs this process. A bare `npm` may be another one.
  const npm = process.env["npm_execpath"];
  const command = npm?.endsWith("npm-cli.js") ? [process.execPath, npm] : ["npm"];
  return [...command, "ci", "--no-audit", "--no-fund", "--loglevel=error"];
}

/** npm links only the bins of dependencies. With this link, `npx ambit` finds the checkout's own bin. @param {string} root */
export function linkBin(root) {
  const link = join(root, "node_modules/.bin/ambit");
  fs.rmSync(link, { force: true });
  fs.mkdirSync(dirname(link), { recursive: true });
  fs.symlinkSync("../../agent/setup/launch.mjs", link);
}
