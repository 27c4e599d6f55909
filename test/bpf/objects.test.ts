import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { exec } from "../../agent/lib/exec.ts";

const BPF = join(import.meta.dirname, "../../agent/bpf");

it("the objects that are checked in are what their sources compile to, byte for byte", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ambit-objects-"));
  try {
    // The compiler comes by pip, once.
    await exec(process.execPath, [join(BPF, "build.mjs"), folder], { timeoutMs: 280_000 });
    const objects = readdirSync(folder).filter((name) => name.endsWith(".bpf.o"));
    expect(objects.toSorted()).toEqual(["ambit.bpf.o", "lab-kube-proxy.bpf.o"]);
    for (const name of objects) {
      expect({ name, same: readFileSync(join(folder, name)).equals(readFileSync(join(BPF, name))) }).toEqual({
        name,
        same: true,
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 300_000);
