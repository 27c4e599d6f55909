import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tracked = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");
const code = tracked.filter((file) => /\.(ts|mjs|c|h)$/.test(file) && !file.startsWith("agent/xds/gen/"));

function text(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function isThere(file: string, heading: string | undefined): boolean {
  return tracked.includes(file) && (heading === undefined || anchors(file).includes(heading));
}

/** The names by which links reach the headings of a document. */
function anchors(file: string): readonly string[] {
  return [...text(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test("nothing is unfinished by its own word, and no test is left out", () => {
  // Spelled so that this file does not find itself.
  const unfinished = /\b(TOD[O]|FIXM[E]|XX[X])\b|\b(it|test|describe)\.onl[y]\b/;
  expect(code.filter((file) => unfinished.test(text(file)))).toEqual([]);
});

test("documents link to files and headings that are there", () => {
  const documents = tracked.filter((file) => /^([A-Z]+|docs\/.+)\.md$/.test(file));
  const broken = documents.flatMap((document) =>
    [...text(document).matchAll(/\]\(([^)#:]*)(?:#([^)]+))?\)/g)]
      .map(([, path = "", heading]) => ({ target: path === "" ? document : join(dirname(document), path), heading }))
      .filter(({ target, heading }) => !isThere(target, heading))
      .map(({ target, heading }) => `${document} links to ${target}#${heading ?? ""}`),
  );
  expect(broken).toEqual([]);
});

test("files and folders that documents name are there", () => {
  const documents = tracked.filter((file) => /^(README|ARCHITECTURE|CONTRIBUTING|docs\/.+)\.md$/.test(file));
  const missing = documents.flatMap((document) =>
    [...text(document).matchAll(/`((?:agent|deploy|filters|assembly|test)\/[\w./-]+)`/g)]
      .map(([, path = ""]) => path)
      .filter((path) => !tracked.some((file) => file === path || file.startsWith(`${path}/`)))
      .map((path) => `${document} names ${path}`),
  );
  expect(missing).toEqual([]);
});

test("the lock file is whole, so that `npm ci` works on every platform, and names no registry", () => {
  interface Package {
    readonly resolved?: string;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const lock: unknown = JSON.parse(text("package-lock.json"));
  const { packages } = lock as { readonly packages: Readonly<Record<string, Package>> };
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)));
  const missing = Object.values(packages)
    .flatMap(({ dependencies, optionalDependencies }) => Object.keys({ ...dependencies, ...optionalDependencies }))
    .filter((name) => !names.has(name));
  expect(missing).toEqual([]);
  expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});
