import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, MeshLab, namespace } from "./mesh-lab.ts";

const NODE = process.execPath;

function server(name: string, node: string): unknown {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", labels: { app: name, any: "server" } },
    spec: {
      nodeName: node,
      containers: [
        {
          name: "app",
          image: "none",
          command: [NODE, join(APPS, "protocols-server.mjs")],
          env: [{ name: "NAME", value: name }],
          readinessProbe: { tcpSocket: { port: 9001 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

function service(name: string, selector: Readonly<Record<string, string>>): unknown {
  const ports = [
    { name: "http", port: 80, targetPort: 8080 },
    { name: "grpc", port: 8081 },
    // Of unknown protocol: the server speaks first.
    { name: "smtp-ish", port: 9001 },
  ];
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "shop" }, spec: { selector, ports } };
}

describePrivileged("what passes the mesh", () => {
  const lab = new MeshLab("proto");
  beforeAll(async () => {
    const rules = [
      {
        matches: [{ headers: [{ name: "x-canary", value: "yes" }] }],
        filters: [
          { type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "x-from", value: "100% route" }] } },
          { type: "ResponseHeaderModifier", responseHeaderModifier: { add: [{ name: "x-version", value: "far" }] } },
        ],
        backendRefs: [{ name: "far", port: 80 }],
      },
      {
        matches: [{ path: { type: "Exact", value: "/slow" } }],
        timeouts: { request: "300ms" },
        backendRefs: [{ name: "near", port: 80 }],
      },
      {
        matches: [{ path: { type: "PathPrefix", value: "/gone" } }],
        backendRefs: [{ name: "nowhere", port: 80 }],
      },
      {
        backendRefs: [
          { name: "near", port: 80, weight: 3 },
          { name: "far", port: 80, weight: 1 },
        ],
      },
    ];
    lab.write("all.yaml", [
      namespace("shop", true),
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "client", namespace: "shop" },
        spec: { nodeName: "node-1", containers: [{ name: "app", image: "none", command: ["sleep", "infinity"] }] },
      },
      server("near", "node-1"),
      server("far", "node-2"),
      service("near", { app: "near" }),
      service("far", { app: "far" }),
      service("routed", { any: "server" }),
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "routed", namespace: "shop" },
        spec: { parentRefs: [{ group: "", kind: "Service", name: "routed", port: 80 }], rules },
      },
    ]);
    await lab.up();
  });
  afterAll(() => lab.down());

  for (const host of ["near", "far"]) {
    it(`is HTTP/1.1, WebSocket, HTTP/2 with trailers, and a server that speaks first: ${host}`, async () => {
      const { stdout, stderr } = await lab.exec("shop/client", NODE, join(APPS, "protocols-client.mjs"), host);
      expect(stderr).toBe("");
      const seen = JSON.parse(stdout);
      expect(seen).toMatchObject({
        webSocket: "frames",
        http2: { body: "http2 /shop.Pricing/Get", grpcStatus: "0" },
        serverFirst: "220 speak after me\n",
      });
      // Nothing changed: the path as it was sent, header case, trailers (Envoy writes their names in lower case), and no header of ours in the response.
      expect(seen.http1.body.url).toBe("/a%2Fb/../c?q=%20");
      expect(seen.http1.body.headers).toContain("X-Odd-CASE");
      expect(seen.http1.headers).toContain("X-MixedCase");
      expect(seen.http1.trailers.map((part: string) => part.toLowerCase())).toEqual(["x-sum", "42"]);
      expect(JSON.stringify(seen.http1.headers)).not.toMatch(/envoy|server/iu);
    });
  }

  it("follows an HTTPRoute: header match, header filters, timeout, missing backend", async () => {
    const canary = await lab.call("shop/client", "http://routed/", "x-canary: yes");
    expect(canary.body).toContain('"name":"far"');
    expect(canary.body).toContain("100% route");
    expect(canary.headers).toMatchObject({ "x-version": "far" });
    expect((await lab.call("shop/client", "http://routed/slow")).status).toBe(504);
    expect((await lab.call("shop/client", "http://routed/gone/x")).status).toBe(500);
  });

  it("divides calls by weight", async () => {
    const answers = await lab.calls("shop/client", "http://routed/", 200);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const near = answers.filter(({ body }) => body.includes('"name":"near"')).length;
    // 3 of 4: 150, and five standard deviations (6.1) to either side.
    expect(near).toBeGreaterThan(119);
    expect(near).toBeLessThan(181);
  });
});
