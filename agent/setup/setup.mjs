// Makes a checkout runnable: dependencies, compiled agent, compiled filters. It is plain Node without dependencies, because
// it runs before they are installed. A step is skipped while the contents of its inputs are the same as at its last success.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { areDependenciesInstalled, installCommand, linkBin } from "./dependencies.mjs";
import { withLock } from "./lock.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const dist = join(root, "dist");
const MIN_NODE = [20, 19];

/** Folders with TypeScript that is compiled to dist. */
const SOURCES = ["agent", "deploy"];

/** Other files that are copied to dist, because the agent reads them at run time by path. */
const ASSETS = new Set([".js", ".json", ".o", ".html", ".css", ".svg"]);

/** @typedef {{ name: string, isCurrent: () => boolean, run: () => void }} Step */

/** @type {Step} */
const dependencies = {
  name: "dependencies",
  isCurrent: () => areDependenciesInstalled(root) && fs.existsSync(join(root, "node_modules/.bin/ambit")),
  run() {
    if (!areDependenciesInstalled(root)) call(installCommand());
    linkBin(root);
  },
};

const agent = buildStep("agent", [...SOURCES, "tsconfig.json", "package-lock.json"], () => {
  // Only emits. `npm run check` checks types; a start must not fail because of an unused variable.
  call([process.execPath, join(root, "node_modules/typescript/bin/tsc"), "--noCheck", "--incremental", "false"]);
  copyAssets();
  removeOrphans();
});

const filters = buildStep("filters", ["filters", "assembly", "package-lock.json"], () =>
  call([process.execPath, join(root, "filters/build.mjs")]),
);

/**
 * Brings the checkout up to date. Progress goes to standard error, because standard output belongs to the command.
 * @param {{ buildOnly?: boolean }} [options] buildOnly: leave node_modules alone
 */
export async function setup({ buildOnly = false } = {}) {
  checkNode();
  const steps = buildOnly ? [agent, filters] : [dependencies, agent, filters];
  if (steps.every((step) => step.isCurrent())) return;
  await withLock(join(root, ".cache/setup.lock"), () => {
    for (const step of steps) if (!step.isCurrent()) runStep(step);
  });
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  throw new Error(`Ambit needs Node ${MIN_NODE.join(".")} or newer; this is ${process.versions.node}`);
}

/** @param {Step} step */
function runStep(step) {
  const started = performance.now();
  step.run();
  process.stderr.write(`setup: ${step.name} ready (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
}

/**
 * A step that runs again when the contents of its inputs change.
 * @param {string} name
 * @param {string[]} inputs files and folders
 * @param {() => void} build
 * @returns {Step}
 */
function buildStep(name, inputs, build) {
  const stamp = join(dist, `.${name}-stamp`);
  return {
    name,
    isCurrent: () => fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === digest(inputs),
    run() {
      const before = digest(inputs); // Taken first, so that a change during the build is built the next time.
      build();
      fs.mkdirSync(dist, { recursive: true });
      fs.writeFileSync(stamp, before);
    },
  };
}

/** @param {string[]} command runs in the checkout; its output is shown only if it fails. */
function call(command) {
  const [file = "", ...args] = command;
  try {
    execFileSync(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 64 << 20 });
  } catch (error) {
    const said = [error.stdout, error.stderr].map((stream) => String(stream ?? "").trim()).filter(Boolean);
    throw new Error([`'${command.join(" ")}' failed`, ...said].join("\n"), { cause: error });
  }
}

/** @param {string[]} inputs files and folders; the digest of their names and contents. */
function digest(inputs) {
  const hash = createHash("sha1");
  for (const input of inputs) {
    for (const file of filesUnder(join(root, input))) {
      hash.update(relative(root, file)).update("\0").update(fs.readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

/** @param {string} path a file, or a folder with everything in it, sorted; nothing if it is not there. @returns {string[]} */
function filesUnder(path) {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [path];
  const entries = fs.readdirSync(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function copyAssets() {
  for (const file of SOURCES.flatMap((folder) => filesUnder(join(root, folder)))) {
    if (!ASSETS.has(extname(file))) continue;
    const target = join(dist, relative(root, file));
    fs.mkdirSync(dirname(target), { recursive: true });
    fs.copyFileSync(file, target);
  }
}

/** Removes compiled modules whose source is gone, so that nothing can import them. */
function removeOrphans() {
  for (const file of SOURCES.flatMap((folder) => filesUnder(join(dist, folder)))) {
    const source = join(root, relative(dist, file)).replace(/\.map$/, "");
    if (!fs.existsSync(source) && !fs.existsSync(source.replace(/\.js$/, ".ts"))) fs.rmSync(file, { force: true });
  }
}

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  setup({ buildOnly: process.argv.includes("--build-only") }).catch((error) => {
    process.stderr.write(`setup: ${error.message}\n`);
    process.exitCode = 1;
  });
}
