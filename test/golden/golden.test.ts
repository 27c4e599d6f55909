import { mkdtempSync, readdirSync, readFileSync, rmSync, cpSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compile } from "../../agent/compile/compile.ts";
import { toYaml } from "../../agent/compile/to-yaml.ts";
import { loadManifests } from "../../agent/sources/load-manifests.ts";

const IN = join(import.meta.dirname, "in");
const OUT = join(import.meta.dirname, "out");
const OPTIONS = {
  node: "node-1",
  trustDomain: "cluster.local",
  rootNamespace: "istio-system",
  cluster: "Kubernetes",
  filterModule: "/filters/chain.wasm",
  accessLog: "/dev/stdout",
};

const temporary = mkdtempSync(join(tmpdir(), "ambit-golden-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** What `node-1` is told for one file of manifests; origins are relative, so that they are the same everywhere. */
async function compiled(file: string): Promise<ReadonlyMap<string, string>> {
  const folder = join(temporary, basename(file, ".yaml"));
  mkdirSync(folder, { recursive: true });
  cpSync(join(IN, file), join(folder, file));
  const files = toYaml(compile(await loadManifests([folder]), OPTIONS));
  return new Map([...files].map(([name, text]) => [name, text.replaceAll(`${folder}/`, "")]));
}

describe("what a node is told for test/golden/in", () => {
  for (const file of readdirSync(IN)) {
    it(`${file} is as recorded (record anew with: npx vitest run test/golden -u)`, async () => {
      for (const [name, text] of await compiled(file)) {
        await expect(text).toMatchFileSnapshot(join(OUT, basename(file, ".yaml"), name));
      }
    });
  }

  it("every recorded case still has its input", () => {
    const inputs = readdirSync(IN).map((file) => basename(file, ".yaml"));
    expect(readdirSync(OUT).toSorted()).toEqual(inputs.toSorted());
    for (const name of inputs) expect(readFileSync(join(OUT, name, "listeners.yaml"), "utf8")).not.toBe("");
  });
});
