import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readDesired } from "../../deploy/lab/cluster/desired.ts";
import type { VolumeSpec } from "../../deploy/lab/pod-spec/volume-spec.ts";
import { Volumes } from "../../deploy/lab/pods/volumes.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";

/** The problems of a Pod with these volumes and mounts. */
function notesOf(volumes: string, mounts = "[]"): readonly string[] {
  const text = `
apiVersion: v1
kind: Pod
metadata: { name: p }
spec:
  volumes: ${volumes}
  containers: [{ name: c, command: [x], volumeMounts: ${mounts} }]
`;
  const { problems } = readDesired(parseManifest("a.yaml", 0, text).objects);
  return problems.map(({ severity, field, code }) => `${severity} ${field} ${code}`);
}

const items = (...paths: readonly string[]): string =>
  `[{ name: v, configMap: { name: s, items: ${JSON.stringify(paths.map((path) => ({ key: "k", path })))} } }]`;

test.each(["", ".", "./", "d/", "..data", "..data/x", "..", "a/../../b", "/etc/x"])(
  "an item cannot be the file '%s'",
  (path) => {
    expect(notesOf(items(path))).toEqual(["error spec.volumes[0].configMap.items[0].path invalid-value"]);
  },
);

test("items are files of their own", () => {
  const conflict = "error spec.volumes[0].configMap.items[1].path conflicting-paths";
  expect(notesOf(items("x", "x/y"))).toEqual([conflict]);
  expect(notesOf(items("x/y/z", "./x//y"))).toEqual([conflict]);
  expect(notesOf(items("x/y", "x/z", "xy", "x.y", "...a/b"))).toEqual([
    "error spec.volumes[0].configMap.items[4].path invalid-value",
  ]);
  expect(notesOf(items("x/y", "x/z", "xy", "x.y"))).toEqual([]);
});

test("a mount without its volume is a problem when it is read", () => {
  const mounts = "[{ name: data, mountPath: /srv/a }]";
  const field = "spec.containers[0].volumeMounts[0].name";
  expect(notesOf("[{ name: date }]", mounts)).toEqual([`error ${field} volume-not-found`]);
  expect(notesOf("[{ name: data }]", mounts)).toEqual([]);
  expect(notesOf("[{ name: data, emptyDir: {} }]", mounts)).toEqual([]);
  expect(notesOf("[{ name: data, hostPath: { path: / } }]", mounts)).toEqual([
    `warning ${field} lab-unsupported-field`,
    "warning spec.volumes[0].hostPath lab-unsupported-field",
  ]);
  const claims = (name: string) => `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  selector: { matchLabels: { app: db } }
  volumeClaimTemplates: [{ metadata: { name: ${name} }, spec: {} }]
  template:
    metadata: { labels: { app: db } }
    spec: { containers: [{ name: c, command: [x], volumeMounts: ${mounts} }] }
`;
  const rejected = (name: string) => readDesired(parseManifest("a.yaml", 0, claims(name)).objects).rejected;
  expect(rejected("data")).toEqual([]);
  expect(rejected("other").map(({ reason }) => reason)).toEqual([
    `spec.template.${field}: the pod has no volume "data"`,
  ]);
});

describe("the files of a volume", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "ambit-volumes-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const config = (name: string): VolumeSpec => ({
    name,
    source: { type: "config", kind: "ConfigMap", name, items: undefined, mode: 0o644, optional: false },
  });
  const mount = (volume: string) => ({ volume, path: `/srv/${volume}`, subPath: "", readOnly: true });

  test("follow each change, however fast the changes come", () => {
    let value = 0;
    const volumes = new Volumes(folder, folder, [config("a")], () => new Map([["k", Buffer.from(String(value))]]));
    volumes.mounts([mount("a")]);
    for (value = 1; value <= 50; value++) {
      expect(volumes.refresh()).toBe("");
      expect(readFileSync(join(folder, "a/k"), "utf8")).toBe(String(value));
    }
    expect(readdirSync(join(folder, "a"))).toHaveLength(3);
    expect(statSync(join(folder, "a/..data")).mode & 0o777).toBe(0o755);
  });

  test("of one volume that cannot be written keep no other from its changes", () => {
    let value = "old";
    const specs = [config("a"), config("b")];
    const volumes = new Volumes(folder, folder, specs, () => new Map([["k", Buffer.from(value)]]));
    volumes.mounts([mount("a"), mount("b")]);
    mkdirSync(join(folder, "a/..data_new"));
    value = "new";
    expect(volumes.refresh()).toMatch(/^the volume a could not be brought up to date: [^;]+$/u);
    const read = (): readonly string[] => ["a", "b"].map((name) => readFileSync(join(folder, name, "k"), "utf8"));
    expect(read()).toEqual(["old", "new"]);
    rmSync(join(folder, "a/..data_new"), { recursive: true });
    expect(volumes.refresh()).toBe("");
    expect(read()).toEqual(["new", "new"]);
  });
});
