import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, MeshLab, namespace, pod } from "./mesh-lab.ts";

const NODE = process.execPath;
/** What comes of HTTP, TCP, and of servers that speak first: at a port known for TCP, and at one that is not known. */
type Outcome = readonly [http: string, tcp: string, first: string, unknownFirst: string];
const MTLS: Outcome = ["mtls", "answered", "answered", "answered"];
const PLAIN: Outcome = ["plain", "answered", "answered", "answered"];
/** Who waits for a greeting is told nothing where TLS has to come first. */
const REFUSED: Outcome = ["refused", "refused", "silence", "refused"];

const policy = (ns: string, name: string, spec: unknown): unknown => ({
  apiVersion: "security.istio.io/v1",
  kind: "PeerAuthentication",
  metadata: { name, namespace: ns },
  spec,
});
const service = (ns: string, name: string): unknown => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: ns },
  spec: {
    selector: { app: name },
    ports: [
      { name: "http", port: 80, targetPort: 8080 },
      { name: "tcp-echo", port: 9000 },
      { name: "tcp-first", port: 9001 },
      { name: "first", port: 9002 },
    ],
  },
});

describePrivileged("PeerAuthentication", () => {
  const lab = new MeshLab("peer");
  const folder = mkdtempSync(join(tmpdir(), "ambit-modes-"));
  let status: LabStatus;

  const file = (name: string): string => join(folder, name);
  const server = (ns: string, name: string): unknown => {
    const made = pod(ns, name, "node-2") as { spec: { containers: { command: readonly string[] }[] } };
    for (const container of made.spec.containers) {
      container.command = [NODE, join(APPS, "modes-server.mjs"), file(name)];
    }
    return made;
  };
  const call = async (from: string, ...hosts: readonly string[]): Promise<Readonly<Record<string, Outcome>>> => {
    const { stdout, stderr } = await lab.exec(from, NODE, join(APPS, "modes-client.mjs"), ...hosts);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout) as Readonly<Record<string, Outcome>>;
  };
  /** Ports of a server that have accepted a connection from a pod. */
  const accepted = (name: string, from: string): readonly string[] => {
    const ip = status.pods.find((each) => each.name === from)?.ip;
    const lines = existsSync(file(name)) ? readFileSync(file(name), "utf8").trim().split("\n") : [];
    return [
      ...new Set(lines.filter((line) => line.endsWith(` ${ip}`)).map((line) => line.split(" ")[0] ?? "")),
    ].toSorted();
  };

  const HOSTS = [
    "by-mesh.strict",
    "by-namespace.permissive",
    "by-namespace-off.disable",
    "by-workload.permissive",
    "by-port.permissive",
    "one-port.permissive",
    "one-port-off.disable",
  ];

  beforeAll(async () => {
    const strict = { mtls: { mode: "STRICT" } };
    lab.write("all.yaml", [
      ...["front", "strict", "permissive", "disable"].map((ns) => namespace(ns, true)),
      ...["istio-system", "outside"].map((ns) => namespace(ns, false)),
      pod("front", "member", "node-1"),
      pod("outside", "stranger", "node-1"),
      pod("outside", "neighbour", "node-2"),
      policy("istio-system", "default", strict),
      policy("permissive", "default", { mtls: { mode: "PERMISSIVE" } }),
      policy("disable", "default", { mtls: { mode: "DISABLE" } }),
      policy("permissive", "workload", { ...strict, selector: { matchLabels: { app: "by-workload" } } }),
      policy("permissive", "port", {
        ...strict,
        selector: { matchLabels: { app: "by-port" } },
        portLevelMtls: { 8080: { mode: "PERMISSIVE" }, 9001: { mode: "DISABLE" } },
      }),
      // Nobody says what is spoken at 9002: the rules of a port whose bytes are looked at stand alone, too.
      ...["permissive", "disable"].map((ns) =>
        policy(ns, "one-port", {
          selector: { matchLabels: { app: ns === "disable" ? "one-port-off" : "one-port" } },
          portLevelMtls: { 8080: { mode: "STRICT" }, 9002: { mode: "STRICT" } },
        }),
      ),
      ...HOSTS.flatMap((host) => {
        const [name = "", ns = ""] = host.split(".");
        return [server(ns, name), service(ns, name)];
      }),
    ]);
    await lab.up();
    status = await lab.status();
    await lab.until("the servers listen", async () =>
      Object.values(await call("front/member", ...HOSTS)).every((outcome) => !outcome.includes("refused")),
    );
  });
  afterAll(async () => {
    await lab.down();
    rmSync(folder, { recursive: true, force: true });
  });

  it("lets the mesh in everywhere, by mTLS unless that is disabled", async () => {
    expect(await call("front/member", ...HOSTS)).toEqual({
      "by-mesh.strict": MTLS,
      "by-namespace.permissive": MTLS,
      "by-namespace-off.disable": PLAIN,
      "by-workload.permissive": MTLS,
      "by-port.permissive": MTLS,
      "one-port.permissive": MTLS,
      "one-port-off.disable": MTLS,
    });
  });

  for (const stranger of ["stranger", "neighbour"]) {
    it(`lets plaintext of the ${stranger} reach only what takes it; others do not even accept`, async () => {
      expect(await call(`outside/${stranger}`, ...HOSTS)).toEqual({
        "by-mesh.strict": REFUSED,
        "by-namespace.permissive": PLAIN,
        "by-namespace-off.disable": PLAIN,
        "by-workload.permissive": REFUSED,
        "by-port.permissive": ["plain", "refused", "answered", "refused"],
        "one-port.permissive": ["refused", "answered", "answered", "refused"],
        "one-port-off.disable": ["refused", "answered", "answered", "refused"],
      });
      const every = ["8080", "9000", "9001", "9002"];
      expect(accepted("by-mesh", stranger)).toEqual([]);
      expect(accepted("by-workload", stranger)).toEqual([]);
      expect(accepted("by-namespace", stranger)).toEqual(every);
      expect(accepted("by-namespace-off", stranger)).toEqual(every);
      expect(accepted("by-port", stranger)).toEqual(["8080", "9001"]);
      expect(accepted("one-port", stranger)).toEqual(["9000", "9001"]);
      expect(accepted("one-port-off", stranger)).toEqual(["9000", "9001"]);
    });
  }

  const becomes = (from: string, host: string, wanted: Outcome): Promise<void> =>
    lab.until(
      `${from} finds it ${wanted[0]}`,
      async () => JSON.stringify((await call(from, host))[host]) === JSON.stringify(wanted),
    );
  const stricter = (ns: string, app: string): void =>
    lab.write("stricter.yaml", [
      policy(ns, "a-workload", { selector: { matchLabels: { app } }, mtls: { mode: "STRICT" } }),
    ]);

  it("changes between PERMISSIVE and STRICT without a connection that is drained", async () => {
    stricter("permissive", "by-namespace");
    await becomes("outside/stranger", "by-namespace.permissive", REFUSED);
    lab.remove("stricter.yaml");
    await becomes("outside/stranger", "by-namespace.permissive", PLAIN);
    const stats = await lab.askEnvoy("node-2", "/stats?filter=listener_manager.(listener_in_place|.*draining)");
    const figures = Object.fromEntries(
      stats
        .trim()
        .split("\n")
        .map((line) => line.split(": ")),
    );
    expect(figures).toMatchObject({
      "listener_manager.total_filter_chains_draining": "0",
      "listener_manager.total_listeners_draining": "0",
    });
    expect(Number(figures["listener_manager.listener_in_place_updated"])).toBeGreaterThan(1);
  });

  it("is followed when it changes from DISABLE, and back", async () => {
    const host = "by-namespace-off.disable";
    stricter("disable", "by-namespace-off");
    await becomes("outside/stranger", host, REFUSED);
    await becomes("front/member", host, MTLS);
    lab.remove("stricter.yaml");
    await becomes("outside/stranger", host, PLAIN);
    await becomes("front/member", host, PLAIN);
    expect(await call("front/member", host)).toEqual({ [host]: PLAIN });
  });
});
