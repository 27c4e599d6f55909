import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tracked = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");
const code = tracked.filter((file) => /\.(ts|mjs|c|h)$/.test(file) && !file.startsWith("agent/xds/gen/"));

function lines(file: string): number {
  return readFileSync(join(root, file), "utf8").split("\n").length - 1;
}

test("no file of code is longer than 300 lines, and half of them have at most 120", () => {
  expect(code.filter((file) => lines(file) > 300)).toEqual([]);
  const lengths = code.map(lines).toSorted((a, b) => a - b);
  expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(120);
});

test("nothing is unfinished by its own word, and no test is left out", () => {
  // Spelled so that this file does not find itself.
  const unfinished = /\b(TOD[O]|FIXM[E]|XX[X])\b|\b(it|test|describe)\.onl[y]\b/;
  expect(code.filter((file) => unfinished.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
});

test("documents link to files that are there", () => {
  const documents = tracked.filter((file) => /^[A-Z]+\.md$/.test(file));
  for (const document of documents) {
    for (const [, target = ""] of readFileSync(join(root, document), "utf8").matchAll(/\]\(([^)#:]+)\)/g)) {
      expect(tracked, `${document} links to ${target}`).toContain(target);
    }
  }
});

test("the lock file is whole, so that `npm ci` works on every platform, and names no registry", () => {
  interface Package {
    readonly resolved?: string;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const lock: unknown = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const { packages } = lock as { readonly packages: Readonly<Record<string, Package>> };
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)));
  const missing = Object.values(packages)
    .flatMap(({ dependencies, optionalDependencies }) => Object.keys({ ...dependencies, ...optionalDependencies }))
    .filter((name) => !names.has(name));
  expect(missing).toEqual([]);
  expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});
