// For the lint rule `ambit/no-folder-circle`: which folders import each other, directly or by way of others.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Each folder with the folders that its files import. @typedef {ReadonlyMap<string, ReadonlySet<string>>} Folders */

/**
 * The imports between the folders below `places`. A folder and the folders inside it count as one idea: imports between
 * them are left out.
 * @param {string} root
 * @param {readonly string[]} places
 * @returns {Folders}
 */
export function readFolders(root, places) {
  /** @type {Map<string, Set<string>>} */
  const folders = new Map();
  for (const file of places.flatMap((place) => sources(root, place))) {
    const own = dirname(file);
    for (const [, specifier = ""] of readFileSync(join(root, file), "utf8").matchAll(/\bfrom\s+"(\.[^"]+)"/g)) {
      const other = dirname(join(own, specifier));
      if (!isWithin(own, other) && !isWithin(other, own)) folders.set(own, (folders.get(own) ?? new Set()).add(other));
    }
  }
  return folders;
}

/**
 * The circle that an import closes, as a list of folders that begins and ends with the importing one.
 * @param {Folders} folders
 * @param {string} own
 * @param {string} other
 * @returns {readonly string[] | undefined}
 */
export function circleBy(folders, own, other) {
  if (isWithin(own, other) || isWithin(other, own)) return undefined;
  const seen = new Set([other]);
  let paths = [[other]];
  while (paths.length > 0) {
    const found = paths.find((path) => path.at(-1) === own);
    if (found !== undefined) return [own, ...found];
    paths = paths.flatMap((path) => {
      const next = [...(folders.get(path.at(-1) ?? "") ?? [])].filter((folder) => !seen.has(folder));
      for (const folder of next) seen.add(folder);
      return next.map((folder) => [...path, folder]);
    });
  }
  return undefined;
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {readonly string[]}
 */
function sources(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "gen" ? [] : sources(root, path);
    return /\.(ts|mjs)$/.test(entry.name) ? [path] : [];
  });
}

/**
 * @param {string} inner
 * @param {string} outer
 */
function isWithin(inner, outer) {
  return inner === outer || inner.startsWith(`${outer}/`);
}
