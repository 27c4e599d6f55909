import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compile } from "../../agent/compile/compile.ts";
import { toYaml } from "../../agent/compile/to-yaml.ts";
import { loadManifests } from "../../agent/sources/load-manifests.ts";
import { GOLDEN_INPUT, GOLDEN_OPTIONS, GOLDEN_OUTPUT, writeCase } from "./golden-options.ts";

const temporary = mkdtempSync(join(tmpdir(), "ambit-golden-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** What `node-1` is told for one file of manifests; origins are relative, so that they are the same everywhere. */
async function compiled(file: string): Promise<ReadonlyMap<string, string>> {
  const folder = writeCase(file, temporary);
  const files = toYaml(compile(await loadManifests([folder]), GOLDEN_OPTIONS));
  return new Map([...files].map(([name, text]) => [name, text.replaceAll(`${folder}/`, "")]));
}

describe("what a node is told for test/golden/in", () => {
  for (const file of readdirSync(GOLDEN_INPUT)) {
    it(`${file} is as recorded (record anew with: npx vitest run test/golden -u)`, async () => {
      for (const [name, text] of await compiled(file)) {
        await expect(text).toMatchFileSnapshot(join(GOLDEN_OUTPUT, basename(file, ".yaml"), name));
      }
    });
  }

  it("every recorded case still has its input", () => {
    const inputs = readdirSync(GOLDEN_INPUT).map((file) => basename(file, ".yaml"));
    expect(readdirSync(GOLDEN_OUTPUT).toSorted()).toEqual(inputs.toSorted());
  });
});
