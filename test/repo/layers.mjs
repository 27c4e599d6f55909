// For the lint rule `ambit/layers`: reads layers.json, and says of each import whether the table there allows it.
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A row of the table. `imports` names other layers, "*" stands for all rows above. `packages` names the packages that
 * have few importers, and where in this layer they may be imported ("." stands for the whole layer).
 * @typedef {object} Layer
 * @property {string} folder
 * @property {string} what
 * @property {readonly string[]} imports
 * @property {Readonly<Record<string, string>>} [packages]
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const TABLE = "test/repo/layers.json";

/** Folders that hold no sources, and may be named in `imports` all the same. */
const BUILT = ["dist"];

/** @type {readonly Layer[]} */
export const layers = JSON.parse(readFileSync(join(root, TABLE), "utf8"));
checkOrder(layers);

/**
 * A layer may name only layers above it in the table: so no circle of layers can be written down.
 * @param {readonly Layer[]} table
 */
export function checkOrder(table) {
  const above = new Set([...BUILT, "*"]);
  for (const { folder, imports } of table) {
    const unknown = imports.find((name) => !above.has(name));
    if (unknown !== undefined) {
      throw new Error(`${TABLE}: ${folder} imports ${unknown}, which is not above it. Lower layers come first.`);
    }
    above.add(folder);
  }
}

/**
 * @param {string} file The path from the top of the repository.
 * @param {string} specifier As it stands in the import.
 * @returns {string | undefined} What is wrong with this import, and what to do about it.
 */
export function forbiddenImport(file, specifier) {
  const own = layerOf(file);
  if (own === undefined) return `${file} is in no layer. Add its folder to ${TABLE} and to ARCHITECTURE.md.`;
  return specifier.startsWith(".")
    ? forbiddenLayer(own, join(dirname(file), specifier).replaceAll(sep, "/"))
    : forbiddenPackage(file, specifier);
}

/**
 * @param {Layer} own
 * @param {string} target
 */
function forbiddenLayer(own, target) {
  const other = layerOf(target)?.folder ?? target.split("/")[0] ?? target;
  if (other === own.folder || isAllowed(own, other)) return undefined;
  const allowed = own.imports.map((name) => (name === "*" ? "the layers above it in the table" : name)).join(", ");
  return (
    `The layer ${own.folder} may not import ${other}, only ${allowed || "packages"}. ` +
    `Move what both need to a lower layer, or pass it in as a parameter. The table of layers: ${TABLE}.`
  );
}

/**
 * @param {Layer} own
 * @param {string} other
 */
function isAllowed(own, other) {
  const names = layers.map(({ folder }) => folder);
  const isAbove = names.includes(other) && names.indexOf(other) < names.indexOf(own.folder);
  return own.imports.includes(other) || (own.imports.includes("*") && isAbove);
}

/**
 * @param {string} file
 * @param {string} specifier
 */
function forbiddenPackage(file, specifier) {
  const module = builtinModules.includes(specifier) ? `node:${specifier}` : specifier;
  const places = layers.flatMap(({ folder, packages = {} }) =>
    Object.entries(packages)
      .filter(([name]) => isIn(module, name))
      .map(([, place]) => join(folder, place)),
  );
  if (places.length === 0 || places.some((place) => isIn(file, place))) return undefined;
  return `Only ${places.join(", ")} may import ${module}. Use what is exported there. The table of layers: ${TABLE}.`;
}

/** @param {string} path */
function layerOf(path) {
  return layers.filter(({ folder }) => isIn(path, folder)).toSorted((a, b) => b.folder.length - a.folder.length)[0];
}

/**
 * @param {string} path
 * @param {string} place A file or a folder, a package or a part of one.
 */
function isIn(path, place) {
  return path === place || path.startsWith(`${place}/`);
}
