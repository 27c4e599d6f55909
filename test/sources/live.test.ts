import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Mesh } from "../../agent/model/mesh.ts";
import { openDirectorySource } from "../../agent/sources/directory.ts";
import type { Source } from "../../agent/model/source.ts";
import { Manifests } from "./manifests.ts";

const service = (name: string): string =>
  `{ apiVersion: v1, kind: Service, metadata: { name: ${name}, namespace: shop }, spec: { clusterIP: None, ports: [{ port: 80 }] } }\n`;

describe("a folder that is followed", () => {
  let source: Source | undefined;
  let manifests: Manifests;
  beforeEach(() => {
    manifests = new Manifests();
  });
  afterEach(() => {
    source?.close();
    manifests.remove();
  });

  const names = (): readonly string[] => source?.current().services.map(({ meta }) => meta.name) ?? [];
  const until = (holds: (mesh: Mesh) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const stop = source?.onChange((mesh) => {
        if (!holds(mesh)) return;
        stop?.();
        resolve();
      });
      const current = source?.current();
      if (current !== undefined && holds(current)) resolve();
    });
  const has = (name: string) => (mesh: Mesh) => mesh.services.some(({ meta }) => meta.name === name);

  it("shows changes, keeps the last good of what breaks, and survives a hundred changes and its own deletion", async () => {
    manifests.write("a.yaml", service("one"));
    source = await openDirectorySource([manifests.folder], { rescanMs: 100 });
    expect(names()).toEqual(["one"]);

    manifests.write("b.yaml", service("two"));
    await until(has("two"));

    manifests.write("b.yaml", "{ broken: [");
    await until((mesh) => mesh.problems.some(({ origin }) => origin.file.includes("b.yaml")));
    expect(names()).toEqual(["one", "two"]);

    for (let i = 0; i <= 100; i++) manifests.write("b.yaml", service(`number-${i}`));
    await until(has("number-100"));
    expect(source.current().problems).toEqual([]);

    renameSync(manifests.folder, `${manifests.folder}.gone`);
    await until((mesh) => mesh.problems.length > 0);
    expect(names()).toEqual(["number-100", "one"]);
    rmSync(`${manifests.folder}.gone`, { recursive: true });
  });

  it("keeps across a restart what is served in place of what is broken, and forgets it when that is mended", async () => {
    const heldVersions = join(manifests.folder, ".held.json");
    const open = async (): Promise<void> => {
      source?.close();
      source = await openDirectorySource([manifests.folder], { rescanMs: 100, heldVersions });
    };
    manifests.write("a.yaml", service("one"));
    manifests.write("b.yaml", service("two"));
    await open();
    manifests.write("a.yaml", service("one").replace("80", "80000"));
    manifests.write("b.yaml", "{ broken: [");
    await until((mesh) => mesh.problems.filter(({ code }) => code === "last-good-served").length === 2);
    for (const restart of ["first", "second"]) {
      await open();
      expect([restart, ...names()]).toEqual([restart, "one", "two"]);
      expect(source?.current().problems.map(({ code }) => code)).toContain("last-good-served");
    }
    manifests.write("a.yaml", service("one"));
    manifests.write("b.yaml", "# nothing\n");
    await until((mesh) => mesh.problems.length === 0);
    expect(names()).toEqual(["one"]);
    expect(readFileSync(heldVersions, "utf8")).toBe("[]");
    writeFileSync(heldVersions, '[{"since":1},null,{"since":"","object":{"value":{},"kind":"Service"}}]');
    await open();
    expect(names()).toEqual(["one"]);
  });

  it("knows after a restart who was there first", async () => {
    const heldVersions = join(manifests.folder, ".held.json");
    const open = async (): Promise<void> => {
      source?.close();
      source = await openDirectorySource([manifests.folder], { rescanMs: 100, heldVersions });
    };
    const withAddress = (name: string): string => service(name).replace("None", "10.96.0.9");
    const holders = () => source?.current().services.filter(({ clusterIPs }) => clusterIPs.length > 0);
    manifests.write("z.yaml", withAddress("web"));
    await open();
    manifests.write("a.yaml", withAddress("aaa"));
    await until(has("aaa"));
    for (const _ of ["first", "second"]) {
      expect(holders()?.map(({ meta }) => meta.name)).toEqual(["web"]);
      await open();
    }
    source?.close();
    manifests.write("a.yaml", withAddress("aab"));
    await open();
    expect(holders()?.map(({ meta }) => meta.name)).toEqual(["web"]);
  });

  it("follows a ConfigMap, whose files are links into a folder that is swapped as a whole", async () => {
    const put = (version: string, text: string): void => {
      mkdirSync(join(manifests.folder, version));
      manifests.write(join(version, "a.yaml"), text);
      symlinkSync(version, join(manifests.folder, "..data_tmp"));
      renameSync(join(manifests.folder, "..data_tmp"), join(manifests.folder, "..data"));
    };
    put("..1", service("one"));
    symlinkSync("..data/a.yaml", join(manifests.folder, "a.yaml"));
    source = await openDirectorySource([manifests.folder], { rescanMs: 100 });
    expect(names()).toEqual(["one"]);
    put("..2", service("two"));
    rmSync(join(manifests.folder, "..1"), { recursive: true });
    await until(has("two"));
    expect(names()).toEqual(["two"]);
    put("..3", "{ broken: [");
    await until((mesh) => mesh.problems.length > 0);
    expect(names()).toEqual(["two"]);
  });

  it("names what it cannot read, keeps what it gave, and reads on", async () => {
    for (const file of ["a", "b", "c"]) manifests.write(`${file}.yaml`, service(file));
    source = await openDirectorySource([manifests.folder], { rescanMs: 100 });
    manifests.write("a.yaml", Uint8Array.from([0x61, 0xff, 0xfe]));
    manifests.write("b.yaml", "#".repeat(20 << 20));
    manifests.write("c.yaml", "");
    symlinkSync("nowhere", join(manifests.folder, "d.yaml"));
    symlinkSync(".", join(manifests.folder, "loop"));
    mkdirSync(join(manifests.folder, "e.yaml"));
    manifests.write("f.yaml", `\uFEFF${service("f").replaceAll("\n", "\r\n")}`);
    await until(has("f"));
    await until((mesh) => mesh.problems.length === 7);
    expect(names()).toEqual(["a", "b", "c", "f"]);
    expect(
      source
        .current()
        .problems.map(({ code }) => code)
        .toSorted(),
    ).toEqual([
      "file-too-large",
      ...["last-good-served", "last-good-served", "last-good-served"],
      ...["not-utf-8", "symlink-loop", "unreadable"],
    ]);
  });
});
