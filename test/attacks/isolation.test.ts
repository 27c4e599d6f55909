import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PrintedProblem } from "../../agent/model/problem.ts";
import { MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { Requests } from "../mesh/requests.ts";
import { describePrivileged } from "../support/privileges.ts";

const meta = (ns: string, name: string, rest = {}) => ({ name, namespace: ns, ...rest });

/** An HTTPRoute on the Service `far` of a namespace; its answers carry the header `x-route`. */
const route = (ns: string, value: string, path: { readonly type: string; readonly value: string }): unknown => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata: meta(ns, "far"),
  spec: {
    parentRefs: [{ group: "", kind: "Service", name: "far" }],
    rules: [
      {
        matches: [{ path }],
        filters: [{ type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "x-route", value }] } }],
        backendRefs: [{ name: "far", port: 80 }],
      },
    ],
  },
});
const anyPath = { type: "PathPrefix", value: "/" };
const regex = (value: string) => ({ type: "RegularExpression", value });

/** The regular expression of a review: 171 instructions of RE2. */
const UUIDS = "/api/v1/object/[0-9a-z]{36}/action/[0-9a-z]{36}";
const UUID = "0123456789abcdefghijklmnopqrstuvwxyz";

const strict = {
  apiVersion: "security.istio.io/v1",
  kind: "PeerAuthentication",
  metadata: meta("victim", "strict"),
  spec: { mtls: { mode: "STRICT" } },
};

const PORTS = 100;
const ADDRESSES = 5_500;

/** A headless Service with so many ports, and so many addresses behind it: 550,000 destinations. */
function flood(): readonly unknown[] {
  const ports = Array.from({ length: PORTS }, (_, index) => ({ name: `tcp-${index}`, port: 20_000 + index }));
  const address = (index: number): string => `172.31.${index >> 8}.${index & 255}`;
  const endpoints = Array.from({ length: ADDRESSES }, (_, index) => ({ addresses: [address(index)] }));
  const labels = { "kubernetes.io/service-name": "flood" };
  return [
    { apiVersion: "v1", kind: "Service", metadata: meta("mallory", "flood"), spec: { clusterIP: "None", ports } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: meta("mallory", "flood-1", { labels }),
      addressType: "IPv4",
      ports: ports.map((port) => ({ ...port, protocol: "TCP" })),
      endpoints,
    },
  ];
}

function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kb) / 1_024;
}

describePrivileged("one namespace never takes from another", () => {
  const lab = new MeshLab("isolation");
  const problems = async (): Promise<readonly PrintedProblem[]> => {
    const { stdout } = await lab.ambit("status", "--name", lab.name, "-o", "json");
    const { nodes } = JSON.parse(stdout) as { nodes: readonly { readonly problems?: readonly PrintedProblem[] }[] };
    return nodes.flatMap((node) => node.problems ?? []);
  };
  const codes = async (): Promise<readonly string[]> => (await problems()).map(({ code }) => code);
  const routeOf = async (ns: string, path = "/"): Promise<string> => {
    const { status, headers } = await lab.call(`${ns}/client`, `http://far.${ns}${path}`);
    return `${status} ${headers["x-route"] ?? ""}`;
  };
  const restartAll = async (): Promise<void> => {
    const before = await lab.processes();
    for (const { agentPid, envoyPid } of before) {
      process.kill(agentPid, "SIGKILL");
      process.kill(envoyPid, "SIGKILL");
    }
    await lab.until("other agents and Envoys are ready", async () =>
      (await lab.status()).nodes.every(
        ({ ready, agentPid, envoyPid }) =>
          ready && !before.some((old) => old.agentPid === agentPid || old.envoyPid === envoyPid),
      ),
    );
  };
  /** A pod outside the mesh speaks plaintext to the STRICT pod's own address. */
  const plaintextAnswers = async (): Promise<number> => {
    const ip = (await lab.status()).pods.find(({ namespace: ns, name }) => ns === "victim" && name === "far")?.ip ?? "";
    return (await lab.call("outside/stranger", `http://${ip}:8080/`)).status;
  };

  beforeAll(async () => {
    lab.write("base.yaml", [
      namespace("outside", false),
      pod("outside", "stranger", "node-2"),
      ...["victim", "mallory"].flatMap((ns) => [
        namespace(ns, true),
        pod(ns, "client", "node-1"),
        pod(ns, "far", "node-2", { server: true }),
        service(ns, "far", { app: "far" }),
      ]),
      strict,
    ]);
    lab.write("route.yaml", [route("victim", "first", anyPath)]);
    await lab.up();
    await lab.until("the route is served", async () => (await routeOf("victim")) === "200 first");
    await lab.until("the pod is STRICT", async () => (await plaintextAnswers()) === 0);
  });
  afterAll(() => lab.down());

  it("a regular expression that Envoy would refuse takes nobody's routes", async () => {
    lab.write("mallory.yaml", [route("mallory", "large", regex(UUIDS))]);
    await lab.until("it is served", async () => {
      return (await routeOf("mallory", `/api/v1/object/${UUID}/action/${UUID}`)) === "200 large";
    });
    for (const [bad, code] of [
      ["/([0-9a-z]{36}/){27}", "regex-too-large"],
      ["/\\x{100}", "invalid-regex"],
      ["/\\p{Klingon}", "invalid-regex"],
    ] as const) {
      lab.write("mallory.yaml", [route("mallory", "bad", regex(bad))]);
      await lab.until(`${bad} is named`, async () => (await codes()).includes(code));
      lab.write("route.yaml", [route("victim", `beside ${code}`, anyPath)]);
      await lab.until("the other's route follows", async () => (await routeOf("victim")) === `200 beside ${code}`);
    }
    // The last one in order is served still.
    expect(await routeOf("mallory", `/api/v1/object/${UUID}/action/${UUID}`)).toBe("200 large");
    await restartAll();
    await lab.until("calls get through", async () => (await routeOf("victim")).startsWith("200 beside"));
  });

  it(`a Service of ${PORTS} ports and ${ADDRESSES} addresses takes nobody's calls, memory or guard`, async () => {
    const running = await Requests.start(lab, "victim/client", "http://far.victim/");
    const before = await lab.processes();
    const memory = before.map(({ agentPid, envoyPid }) => [residentMb(agentPid), residentMb(envoyPid)] as const);
    lab.write("flood.yaml", flood());
    await lab.until("the limit is named", async () => (await codes()).includes("limit-reached"));
    lab.write("route.yaml", [route("victim", "during", anyPath)]);
    await lab.until("the other's route follows", async () => (await routeOf("victim")) === "200 during");
    expect(await running.finish()).toMatchObject({ failed: 0 });
    expect(await lab.processes()).toEqual(before);
    for (const [index, { agentPid, envoyPid }] of before.entries()) {
      const [agent = 0, envoy = 0] = memory[index] ?? [];
      expect(residentMb(agentPid), "of the agent").toBeLessThan(2 * agent);
      expect(residentMb(envoyPid), "of Envoy").toBeLessThan(2 * envoy);
    }
    // A pod that comes while it lasts is captured, and as STRICT as before.
    await restartAll();
    await lab.until("calls get through", async () => (await routeOf("victim")) === "200 during");
    await lab.until("the pod is STRICT", async () => (await plaintextAnswers()) === 0);
  });
});
