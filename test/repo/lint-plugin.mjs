// The lint rules of this repository, as a plugin of oxlint: see `jsPlugins` in .oxlintrc.json.
import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { circleBy, readFolders } from "./folder-circles.mjs";
import { forbiddenImport } from "./layers.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folders = readFolders(
  root,
  ["agent", "deploy"].filter((place) => existsSync(join(root, place))),
);

/**
 * A rule about imports. `complaint` says what is wrong with an import, and what to do about it.
 * @param {(file: string, specifier: string) => string | undefined} complaint
 */
function importRule(complaint) {
  return {
    meta: { type: "problem" },
    /** @param {any} context */
    create(context) {
      const file = relative(root, context.filename).replaceAll(sep, "/");
      /** @param {any} node */
      const check = (node) => {
        const specifier = node.source?.value;
        const message = typeof specifier === "string" ? complaint(file, specifier) : undefined;
        if (message !== undefined) context.report({ node: node.source, message });
      };
      return {
        ImportDeclaration: check,
        ExportNamedDeclaration: check,
        ExportAllDeclaration: check,
        ImportExpression: check,
        TSImportType: check,
      };
    },
  };
}

/**
 * @param {string} file
 * @param {string} specifier
 */
function folderCircle(file, specifier) {
  if (!specifier.startsWith(".")) return undefined;
  const circle = circleBy(folders, dirname(file), dirname(join(dirname(file), specifier)));
  return (
    circle &&
    `This import closes a circle of folders: ${circle.join(" -> ")}. Move what they share to the folder above them, or to the lowest of them.`
  );
}

export default {
  meta: { name: "ambit" },
  rules: { layers: importRule(forbiddenImport), "no-folder-circle": importRule(folderCircle) },
};
