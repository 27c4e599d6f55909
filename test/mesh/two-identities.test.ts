import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, MeshLab, namespace, pod, service } from "./mesh-lab.ts";

const EACH = 5_000;

describePrivileged("two identities of one node that call the other over one worker", () => {
  // One worker: both share its connection pools.
  const lab = new MeshLab("two", { AMBIT_CONCURRENCY: "1" });
  /** How often the server was told which URI, by a pod's requests. */
  const uris = async (name: string, urls: readonly string[]): Promise<unknown> => {
    const args = [join(APPS, "callers.mjs"), String(EACH), ...urls];
    const { stdout, stderr } = await lab.exec(`shop/${name}`, process.execPath, ...args);
    if (stdout === "") throw new Error(stderr);
    const { told, reasons } = JSON.parse(stdout) as Record<"told" | "reasons", Readonly<Record<string, number>>>;
    const counted: Record<string, number> = {};
    for (const [header, times] of Object.entries(told)) {
      const uri = [...header.matchAll(/URI=([^;,]+)/gu)].map(([, each]) => each).join();
      counted[uri] = (counted[uri] ?? 0) + times;
    }
    return { ...counted, ...reasons };
  };

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      pod("shop", "alice", "node-1"),
      pod("shop", "bob", "node-1"),
      pod("shop", "far", "node-2", { server: true }),
      service("shop", "far", { app: "far" }),
    ]);
    await lab.up();
  });
  afterAll(() => lab.down());

  for (const [what, ...urls] of [
    ["HTTP/1.1", "http://far/"],
    ["HTTP/2", "http://far:8081/"],
  ] as const) {
    it(`are never taken for each other: ${what}`, async () => {
      const [alice, bob] = await Promise.all(["alice", "bob"].map((name) => uris(name, urls)));
      expect(alice).toEqual({ "spiffe://cluster.local/ns/shop/sa/alice": EACH });
      expect(bob).toEqual({ "spiffe://cluster.local/ns/shop/sa/bob": EACH });
    });
  }
});
