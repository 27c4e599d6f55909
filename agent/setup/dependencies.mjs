// node_modules, as package-lock.json wants it.
import * as fs from "node:fs";
import { dirname, join } from "node:path";

/**
 * Compares with what npm notes of its last install: that tells the truth whoever ran npm, and costs no start of npm.
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

/** `ci` takes what package-lock.json says, and writes nothing to it. @returns {string[]} a command */
export function installCommand() {
  // Under npm, npm_execpath is the very npm that runs us; a bare `npm` need not be the same one.
  const npm = process.env["npm_execpath"];
  const command = npm?.endsWith("npm-cli.js") ? [process.execPath, npm] : ["npm"];
  return [...command, "ci", "--no-audit", "--no-fund", "--loglevel=error"];
}

/** npm links the bins of dependencies only; with this, `npx ambit` finds the checkout's own at once. @param {string} root */
export function linkBin(root) {
  const link = join(root, "node_modules/.bin/ambit");
  fs.rmSync(link, { force: true });
  fs.mkdirSync(dirname(link), { recursive: true });
  fs.symlinkSync("../../agent/setup/launch.mjs", link);
}
