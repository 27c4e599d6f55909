import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, MeshLab, namespace, pod, service, type LogLine } from "./mesh-lab.ts";

const MARKER = "only-both-ends-read-this";
const ROUNDS = 50;

/** A connection as `apps/sniff.py` has seen it. */
interface Seen {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly tls: boolean;
  readonly version: string | null;
  readonly marker: number;
  readonly missing: number;
}

describePrivileged("the wire between two nodes", () => {
  const lab = new MeshLab("wire");
  let status: LabStatus;
  const address = (name: string): string => status.pods.find((each) => each.name === name)?.ip ?? "";

  /** What passes between the first node and the others while `act` runs. */
  const sniff = async (act: () => Promise<void>): Promise<readonly Seen[]> => {
    const where = [`--net=/run/netns/ambit-${lab.name}-fabric`, "--"];
    const script = ["python3", join(APPS, "sniff.py"), "node1", MARKER];
    const sniffer = spawn("nsenter", [...where, ...script], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: sniffer.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("open");
    try {
      await act();
    } finally {
      sniffer.stdin.end();
    }
    return JSON.parse(String((await lines.next()).value)) as readonly Seen[];
  };
  /** HTTP/1.1, HTTP/2 and TCP, each with the marker in both directions. */
  const talk = async (from: string, host: string): Promise<void> => {
    const urls = [`http://${host}/${MARKER}`, `http://${host}:8081/${MARKER}`];
    const http = await lab.exec(from, process.execPath, join(APPS, "callers.mjs"), String(ROUNDS), ...urls);
    expect(JSON.parse(http.stdout)).toMatchObject({ reasons: {} });
    const tcp = `const s = require("net").connect(9000, "${host}"); s.write("${MARKER}"); s.pipe(process.stdout); setTimeout(() => s.end(), 50)`;
    expect((await lab.exec(from, process.execPath, "-e", tcp)).stdout).toBe(MARKER);
  };
  const label = async (enrolled: boolean): Promise<void> => {
    const { code, stderr } = await lab.ambit(enrolled ? "enroll" : "unenroll", "shop", "--name", lab.name);
    if (code !== 0) throw new Error(stderr);
  };

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", false),
      pod("shop", "one", "node-1", { server: true }),
      pod("shop", "two", "node-2", { server: true }),
      service("shop", "one", { app: "one" }),
      service("shop", "two", { app: "two" }),
    ]);
    await lab.up();
    status = await lab.status();
  });
  afterAll(() => lab.down());

  it("shows what is said before the label comes, so that this test could see it", async () => {
    const seen = await sniff(() => talk("shop/one", "two"));
    expect(seen.length).toBeGreaterThan(2);
    for (const each of seen) expect(each).toMatchObject({ tls: false, version: null });
    expect(seen.reduce((sum, { marker }) => sum + marker, 0)).toBeGreaterThan(2 * ROUNDS);
  });

  it("carries nothing but TLS 1.3 between pods in the mesh, whichever calls", async () => {
    await label(true);
    const seen = await sniff(async () => {
      await talk("shop/one", "two");
      await talk("shop/two", "one");
    });
    // The kubelet's probes stay on their node; nobody else speaks TCP here.
    const sides = new Set(seen.map(({ client, server }) => [client, server].toSorted().join()));
    expect([...sides]).toEqual([[address("one"), address("two")].toSorted().join()]);
    expect(new Set(seen.map(({ client, port }) => `${client} ${port}`)).size).toBe(6);
    for (const each of seen) expect(each).toMatchObject({ tls: true, version: "0304", marker: 0, missing: 0 });
  });

  it("is told of by each node's Envoy: TLS 1.3 alone, under the caller's own identity", async () => {
    for (const [node, caller] of [
      ["node-1", "two"],
      ["node-2", "one"],
    ] as const) {
      const stats = await lab.askEnvoy(node, "/stats?usedonly&filter=ssl.versions");
      expect(stats).toMatch(/ssl\.versions\.TLSv1\.3: [1-9]/u);
      expect(stats.replaceAll(/^.*ssl\.versions\.TLSv1\.3: \d+$/gmu, "").trim()).toBe("");
      const logged = (): readonly LogLine[] =>
        lab
          .logged(node, address(caller))
          .filter((line) => line["direction"] === "inbound" && line["source_address"] === address(caller));
      const protocols = (): readonly unknown[] => [...new Set(logged().map(({ protocol }) => protocol))].toSorted();
      await lab.until("all are logged", () => protocols().length === 3);
      expect(protocols()).toEqual(["HTTP/1.1", "HTTP/2", "TCP"]);
      expect(new Set(logged().map((line) => line["source_principal"]))).toEqual(
        new Set([`spiffe://cluster.local/ns/shop/sa/${caller}`]),
      );
    }
  });

  it("shows what is said again when the label has gone", async () => {
    await label(false);
    const seen = await sniff(() => talk("shop/one", "two"));
    expect(seen.filter(({ tls, marker }) => !tls && marker > 0).length).toBeGreaterThan(2);
  });
});
