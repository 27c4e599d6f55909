import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkOrder, forbiddenImport, layers } from "./layers.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What `npm run lint` says of these files, in a folder that holds nothing but the rules and them. */
function lint(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "amb-layers-"));
  try {
    const rules = ["lint-plugin.mjs", "layers.mjs", "layers.json", "folder-circles.mjs"].map(
      (name) => `test/repo/${name}`,
    );
    for (const needed of [".oxlintrc.json", ...rules]) {
      mkdirSync(dirname(join(folder, needed)), { recursive: true });
      cpSync(join(root, needed), join(folder, needed));
    }
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), content);
    }
    const oxlint = join(root, "node_modules/.bin/oxlint");
    const { status, stdout } = spawnSync(oxlint, ["--deny-warnings", "--format=unix", "agent"], {
      cwd: folder,
      encoding: "utf8",
    });
    return status === 0 ? "" : stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("lint refuses an import of a higher layer, in whatever form", () => {
  const forms = [
    `import { b } from "../node/b.ts";\nexport const c = b;\n`,
    `import type { B } from "../node/b.ts";\nexport type C = B[];\n`,
    `export { b } from "../node/b.ts";\n`,
    `export * from "../node/b.ts";\n`,
    `export const c = import("../node/b.ts");\n`,
    `export type C = import("../node/b.ts").B;\n`,
  ];
  const files = Object.fromEntries(forms.map((form, index) => [`agent/model/form${index}.ts`, form]));
  const said = lint({ ...files, "agent/model/good.ts": `export { b } from "../lib/b.ts";\n` });
  expect(said).toContain("The layer agent/model may not import agent/node, only agent/lib. Move ");
  expect(forms.filter((_, index) => said.includes(`agent/model/form${index}.ts:`))).toEqual(forms);
  expect(said).not.toContain("good.ts");
});

test("lint refuses a package outside its place", () => {
  const koffi = `import koffi from "koffi";\nexport const a = koffi;\n`;
  expect(lint({ ["agent/node/a.ts"]: koffi })).toContain("Only agent/kernel/loader/syscall.ts may import koffi.");
  expect(lint({ ["agent/kernel/loader/syscall.ts"]: koffi })).toBe("");
  const spawn = `import { spawn } from "child_process";\nexport const a = spawn;\n`;
  expect(lint({ ["agent/node/a.ts"]: spawn })).toContain("may import node:child_process.");
});

test("a folder within a tier imports no other of it, and none imports the tests", () => {
  const tier = ["sources", "envoy", "kernel", "identity", "jwks", "policy"];
  for (const from of tier) {
    for (const to of tier.filter((name) => name !== from)) {
      expect(forbiddenImport(`agent/${from}/a.ts`, `../${to}/b.ts`), `${from} imports ${to}`).toBeDefined();
    }
  }
  for (const { folder } of layers) {
    const file = folder.endsWith(".ts") ? folder : `${folder}/a.ts`;
    const up = "../".repeat(file.split("/").length - 1);
    expect(forbiddenImport(file, `${up}test/support/b.ts`), `${folder} imports test`).toBeDefined();
  }
});

test("lint refuses a circle of folders within a layer, though no files form one", () => {
  const use = (name: string, path: string): string =>
    `import { ${name} } from "${path}";\nexport const used = ${name};\n`;
  const files = {
    "agent/compile/http/a.ts": use("b", "../tcp/b.ts"),
    "agent/compile/tcp/b.ts": "export const b = 1;\n",
    "agent/compile/tcp/c.ts": use("d", "../names/d.ts"),
    "agent/compile/names/d.ts": "export const d = 1;\n",
  };
  expect(lint(files)).toBe("");
  const closed = lint({ ...files, "agent/compile/names/e.ts": use("f", "../http/f.ts") });
  expect(closed).toContain("agent/compile/http -> agent/compile/tcp -> agent/compile/names -> agent/compile/http.");
  expect(
    lint({ ...files, "agent/compile/g.ts": use("b", "./tcp/b.ts"), "agent/compile/tcp/h.ts": use("i", "../i.ts") }),
  ).toBe("");
});

test("the table allows no circle of layers", () => {
  const row = (folder: string, ...imports: string[]) => ({ folder, what: "", imports });
  expect(() => checkOrder([row("a"), row("b", "a")])).not.toThrow();
  expect(() => checkOrder([row("a", "b"), row("b", "a")])).toThrow("a imports b, which is not above it");
});

test("ARCHITECTURE.md shows the table that lint reads", () => {
  const rows = layers.map(({ folder, what, imports, packages = {} }) => [
    code(folder),
    what,
    imports.map((name) => (name === "*" ? "all above" : code(short(name)))).join(", "),
    Object.entries(packages)
      .map(([name, place]) => (place === "." ? code(name) : `${code(name)} in ${code(place)}`))
      .join(", "),
  ]);
  const [, table = ""] = readFileSync(join(root, "ARCHITECTURE.md"), "utf8").split(/^\| layer .*\n.*\n/m);
  const [shown = ""] = table.split("\n\n");
  const cells = shown.split("\n").map((line) => line.split("|").slice(1, -1));
  expect(cells.map((row) => row.map((cell) => cell.trim()))).toEqual(rows);
});

function short(folder: string): string {
  return folder.replace(/^agent\//, "");
}

function code(text: string): string {
  return `\`${text}\``;
}
