import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { findEnvoy } from "../../agent/envoy/find-envoy.ts";
import { probeEnvoy } from "../../agent/envoy/probe-envoy.ts";
import { AmbitError } from "../../agent/lib/errors.ts";

const OTHER = process.arch === "x64" ? { machine: 183, name: "arm64" } : { machine: 62, name: "x64" };
const banner = (version: string): string =>
  `#!/bin/sh\necho "envoy  version: 0123456789abcdef/${version}/Clean/RELEASE/BoringSSL"\n`;

function elf(machine: number): Buffer {
  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  return header;
}

describe("what is not an Envoy that fits is refused, with the reason and what to do", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ambit-find-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => vi.unstubAllEnvs());

  const file = (content: string | Buffer, mode = 0o755): string => {
    const path = join(folder, `envoy-${Math.random()}`);
    writeFileSync(path, content, { mode });
    return path;
  };
  const CASES: readonly (readonly [what: string, make: () => string, why: RegExp])[] = [
    ["nothing", () => join(folder, "missing"), /no such file/u],
    ["a folder", () => folder, /is not a file/u],
    ["a file that is not executable", () => file(banner("1.40.0"), 0o644), /not executable/u],
    ["an Envoy of another version", () => file(banner("1.31.5")), /is Envoy 1\.31\.5, .* for 1\.40/u],
    ["another program", () => file("#!/bin/sh\necho hello\n"), /printed no version of Envoy, but: hello/u],
    ["a program that fails", () => file("#!/bin/sh\necho 'no libc' >&2; exit 3\n"), /exit code 3: no libc/u],
    ["a script without its interpreter", () => file("#!/no/such/shell\n"), /interpreter/u],
    ["a program of another architecture", () => file(elf(OTHER.machine)), new RegExp(`built for ${OTHER.name}`, "u")],
    ["bytes that are no program", () => file(Buffer.alloc(100, 1)), /not a program for this machine/u],
  ];
  for (const [what, make, why] of CASES) {
    it(`AMBIT_ENVOY naming ${what}`, async () => {
      const path = make();
      vi.stubEnv("AMBIT_ENVOY", path);
      const error = await findEnvoy().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AmbitError);
      expect(error).toMatchObject({
        code: "envoy-not-usable",
        message: expect.stringContaining(path),
        why: expect.stringMatching(why),
        remedy: expect.stringContaining("1.40"),
      });
    });
  }

  it("a program that does not end, and leaves a child behind that holds its output", async () => {
    const probe = await probeEnvoy(file("#!/bin/sh\nsleep 20\necho late\n"), 200);
    expect(probe).toMatchObject({ why: expect.stringMatching(/did not end within 0\.2 s/u) });
  });

  it("while a patch release of the same version is taken", async () => {
    const path = file(banner("1.40.9"));
    vi.stubEnv("AMBIT_ENVOY", path);
    expect(await findEnvoy()).toEqual({ path, version: "1.40.9" });
  });
});
