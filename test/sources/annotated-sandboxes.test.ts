import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { NodeSource } from "../../agent/model/source.ts";
import { openDirectorySource } from "../../agent/sources/directory.ts";
import { loadFolders } from "../../agent/sources/load-manifests.ts";
import { Manifests } from "./manifests.ts";

const pod = (netns: string, status = "{ podIPs: [{ ip: 10.1.0.1 }] }"): string => `
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, uid: u, annotations: { ambit.dev/netns: ${netns} } }
spec: { containers: [] }
status: ${status}
`;

let manifests: Manifests;
beforeEach(() => {
  manifests = new Manifests();
});
afterEach(() => manifests.remove());

async function found(folder = manifests.folder): Promise<readonly [string | undefined, readonly string[]]> {
  const { mesh, sandboxes } = await loadFolders([folder]);
  return [sandboxes.netnsOf("u"), mesh.problems.map(({ severity, code }) => `${severity} ${code}`)];
}

it("finds a Pod's network namespace by its annotation", async () => {
  manifests.write("a.yaml", pod("/run/netns/web"));
  expect(await found()).toEqual(["/run/netns/web", []]);
});

it("names what is wrong with an annotation", async () => {
  manifests.write("a.yaml", pod("web"));
  expect(await found()).toEqual([undefined, ["error invalid-value"]]);
  manifests.write("a.yaml", pod("/run/netns/web", "{}"));
  expect(await found()).toEqual(["/run/netns/web", ["warning pod-without-address"]]);
});

it("ignores the annotation in a file that others can write", async () => {
  chmodSync(manifests.write("a.yaml", pod("/run/netns/web")), 0o664);
  expect(await found()).toEqual([undefined, ["warning netns-not-trusted"]]);
});

it("ignores the annotation in a folder that others can write, and in folders below it", async () => {
  mkdirSync(join(manifests.folder, "below"));
  manifests.write("below/a.yaml", pod("/run/netns/web"));
  chmodSync(manifests.folder, 0o777);
  expect(await found()).toEqual([undefined, ["warning netns-not-trusted"]]);
});

it("ignores the annotation in a file that a symbolic link leads to", async () => {
  const elsewhere = new Manifests();
  try {
    symlinkSync(elsewhere.write("a.yaml", pod("/run/netns/web")), join(manifests.folder, "a.yaml"));
    expect(await found()).toEqual([undefined, ["warning netns-not-trusted"]]);
  } finally {
    elsewhere.remove();
  }
});

it("follows who can write a file", async () => {
  const path = manifests.write("a.json", asJson());
  const source: NodeSource = await openDirectorySource([manifests.folder], { rescanMs: 20 });
  const until = async (netns: string | undefined): Promise<void> => {
    await expect.poll(() => source.sandboxes.netnsOf("u"), { timeout: 5_000 }).toBe(netns);
  };
  try {
    await until("/run/netns/web");
    chmodSync(path, 0o666);
    await until(undefined);
    chmodSync(path, 0o600);
    await until("/run/netns/web");
    chmodSync(manifests.folder, 0o777);
    await until(undefined);
  } finally {
    source.close();
  }
});

function asJson(): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "shop", uid: "u", annotations: { "ambit.dev/netns": "/run/netns/web" } },
    spec: { containers: [] },
    status: { podIPs: [{ ip: "10.1.0.1" }] },
  });
}
