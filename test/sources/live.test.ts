import { renameSync, rmSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { Mesh } from "../../agent/model/mesh.ts";
import { openDirectorySource } from "../../agent/sources/directory.ts";
import type { Source } from "../../agent/sources/source.ts";
import { Manifests } from "./manifests.ts";

const service = (name: string): string =>
  `{ apiVersion: v1, kind: Service, metadata: { name: ${name}, namespace: shop }, spec: { clusterIP: None, ports: [{ port: 80 }] } }\n`;

describe("a folder that is followed", () => {
  let source: Source | undefined;
  const manifests = new Manifests();
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
    await until((mesh) => mesh.problems.some(({ origin }) => origin.includes("b.yaml")));
    expect(names()).toEqual(["one", "two"]);

    for (let i = 0; i <= 100; i++) manifests.write("b.yaml", service(`number-${i}`));
    await until(has("number-100"));
    expect(source.current().problems).toEqual([]);

    renameSync(manifests.folder, `${manifests.folder}.gone`);
    await until((mesh) => mesh.problems.length > 0);
    expect(names()).toEqual(["number-100", "one"]);
    rmSync(`${manifests.folder}.gone`, { recursive: true });
  });
});
