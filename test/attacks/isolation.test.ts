import { afterAll, beforeAll, expect, it } from "vitest";
import type { PrintedProblem } from "../../agent/model/problem.ts";
import { MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
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
  beforeAll(async () => {
    lab.write("base.yaml", [
      ...["victim", "mallory"].flatMap((ns) => [
        namespace(ns, true),
        pod(ns, "client", "node-1"),
        pod(ns, "far", "node-2", { server: true }),
        service(ns, "far", { app: "far" }),
      ]),
    ]);
    lab.write("route.yaml", [route("victim", "first", anyPath)]);
    await lab.up();
    await lab.until("the route is served", async () => (await routeOf("victim")) === "200 first");
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
});
