import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { exec } from "../../agent/lib/exec.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Where each object is checked in. */
const OBJECTS = { "ambit.bpf.o": "agent/kernel", "lab-kube-proxy.bpf.o": "deploy/lab/kube-proxy" } as const;

it("the objects that are checked in are what their sources compile to, byte for byte", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ambit-objects-"));
  try {
    // The compiler comes by pip, once.
    await exec(process.execPath, [join(ROOT, "agent/kernel/build.mjs"), folder], { timeoutMs: 280_000 });
    const objects = readdirSync(folder).filter((name) => name.endsWith(".bpf.o"));
    expect(objects.toSorted()).toEqual(Object.keys(OBJECTS));
    for (const [name, place] of Object.entries(OBJECTS)) {
      expect({ name, same: readFileSync(join(folder, name)).equals(readFileSync(join(ROOT, place, name))) }).toEqual({
        name,
        same: true,
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 300_000);
