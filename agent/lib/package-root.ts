import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { AmbitError } from "./errors.ts";

/** The folder that holds package.json, from the sources as from dist. */
export function packageRoot(from: string = import.meta.dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    // dist may hold a package.json of its own one day; the root is the one with the filters' sources or builds.
    if (existsSync(join(folder, "package.json"))) return folder;
    if (dirname(folder) === folder) {
      throw new AmbitError({ code: "broken-installation", kind: "system", what: "package.json of Ambit is not found" });
    }
  }
}
