import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Explanation } from "../../agent/cli/authz-explain.ts";
import { AMBIT } from "../support/ambit-command.ts";

const folder = mkdtempSync(join(tmpdir(), "ambit-explain-"));
afterAll(() => rmSync(folder, { recursive: true }));

const deployment = (name: string, port: number): string =>
  `{ apiVersion: apps/v1, kind: Deployment, metadata: { name: ${name}, namespace: shop }, spec: { template: { metadata: { labels: { app: ${name} } }, spec: { serviceAccountName: ${name}, containers: [{ name: app, image: app, ports: [{ containerPort: ${port} }] }] } } } }`;

writeFileSync(
  join(folder, "shop.yaml"),
  `
{ apiVersion: v1, kind: Namespace, metadata: { name: shop, labels: { ambit.dev/dataplane-mode: ambient } } }
---
${deployment("storefront", 8080)}
---
${deployment("inventory", 9090)}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: shop }
spec:
  selector: { matchLabels: { app: inventory } }
  rules:
    - from: [{ source: { principals: [cluster.local/ns/shop/sa/storefront] } }]
      to: [{ operation: { methods: [GET], paths: [/items*], ports: ["9090"] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-debug, namespace: shop }
spec:
  selector: { matchLabels: { app: inventory } }
  action: DENY
  rules:
    - when: [{ key: "request.headers[x-debug]", values: ["*"] }]
`,
);

function explain(...args: readonly string[]): {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const all = [AMBIT, "authz", "explain", ...args, "--manifests", folder];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: "utf8" });
  return { code: status, stdout, stderr };
}

function decided(...args: readonly string[]): Explanation {
  return JSON.parse(explain(...args, "-o", "json").stdout) as Explanation;
}

describe("ambit authz explain", () => {
  it("names the policy that lets a Deployment's pods in, and each field that held", () => {
    const { code, stdout } = explain("shop/storefront", "shop/inventory", "--path", "/items?page=2");
    expect(code).toBe(0);
    expect(stdout).toContain("allowed by shop/readers: rule 0 of an ALLOW policy matches");
    for (const part of [
      'rules[0].from[0].source.principals holds: "cluster.local/ns/shop/sa/storefront"',
      'rules[0].to[0].operation.paths holds: "/items"',
      'rules[0].to[0].operation.ports holds: "9090"',
      "rules[0].when[0].values (request.headers[x-debug]) does not hold: there is none",
    ])
      expect(stdout).toContain(part);
  });

  it("names the field that failed", () => {
    expect(
      decided("deployment/shop/storefront", "shop/inventory", "--method", "PUT", "--path", "/items"),
    ).toMatchObject({
      verdict: "denied",
      decidedBy: "",
      policies: [
        { policy: "shop/no-debug", matches: false },
        {
          policy: "shop/readers",
          because: [{ field: "rules[0].to[0].operation.methods", holds: false, found: "PUT" }],
        },
      ],
    });
  });

  it("decides for somebody outside the mesh, by headers, and for connections", () => {
    expect(decided("-", "shop/inventory", "--source-ip", "192.0.2.7").verdict).toBe("denied");
    const debugging = ["shop/storefront", "shop/inventory", "--path", "/items", "--header", "X-Debug: 1"];
    expect(decided(...debugging)).toMatchObject({ verdict: "denied", decidedBy: "shop/no-debug" });
    // The header is left out of a DENY for TCP, and then it denies all.
    expect(decided("shop/storefront", "shop/inventory", "--tcp")).toMatchObject({
      verdict: "denied",
      decidedBy: "shop/no-debug",
    });
    expect(decided("shop/inventory", "shop/storefront")).toMatchObject({ verdict: "allowed", policies: [] });
  });

  it("takes the pods that run for those that a Deployment would make", () => {
    const running = mkdtempSync(join(tmpdir(), "ambit-explain-"));
    const owner = "{ apiVersion: apps/v1, kind: ReplicaSet, name: storefront-abc, uid: u, controller: true }";
    const labels = "{ app: storefront, pod-template-hash: abc }";
    const pod = `{ apiVersion: v1, kind: Pod, metadata: { name: storefront-abc-1, namespace: shop, labels: ${labels}, ownerReferences: [${owner}] }, spec: { serviceAccountName: storefront, containers: [] }, status: { podIPs: [{ ip: 10.1.2.3 }] } }`;
    const policy =
      "{ apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: { name: by-address, namespace: shop }, spec: { rules: [{ from: [{ source: { ipBlocks: [10.1.2.3] } }] }] } }";
    writeFileSync(join(running, "running.yaml"), `${pod}\n---\n${policy}\n`);
    const { verdict, decidedBy } = decided("shop/storefront", "shop/inventory", "--manifests", running);
    rmSync(running, { recursive: true });
    expect({ verdict, decidedBy }).toEqual({ verdict: "allowed", decidedBy: "shop/by-address" });
  });

  it("decides a connection where Services call the port TCP, and a request where it is asked for one", () => {
    const lab = mkdtempSync(join(tmpdir(), "ambit-explain-"));
    const slice = (service: string, port: string) =>
      `{ apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: { name: ${service}-1, namespace: shop, labels: { kubernetes.io/service-name: ${service} } }, ports: [{ name: ${port}, port: 6379 }], endpoints: [{ addresses: [10.1.2.4] }] }`;
    const service = (name: string, port: string) =>
      `{ apiVersion: v1, kind: Service, metadata: { name: ${name}, namespace: shop }, spec: { clusterIP: 10.96.0.9, selector: { app: cache }, ports: [{ name: ${port}, port: 6379 }] } }`;
    const pod =
      "{ apiVersion: v1, kind: Pod, metadata: { name: cache, namespace: shop, labels: { app: cache } }, spec: { containers: [{ name: c, ports: [{ containerPort: 6379 }] }] }, status: { podIPs: [{ ip: 10.1.2.4 }] } }";
    const policy =
      "{ apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: { name: root, namespace: shop }, spec: { selector: { matchLabels: { app: cache } }, rules: [{ to: [{ operation: { paths: [/] } }] }] } }";
    const objects = [pod, service("cache", "tcp-cache"), slice("cache", "tcp-cache"), policy];
    writeFileSync(join(lab, "lab.yaml"), objects.join("\n---\n"));
    const asked = ["shop/storefront", "shop/cache", "--manifests", lab];
    expect(decided(...asked)).toMatchObject({
      verdict: "denied",
      request: { protocol: "tcp", port: 6379 },
      notes: ["Services call port 6379 TCP, so this decides a connection and no request"],
    });
    expect(decided(...asked, "--path", "/")).toMatchObject({ verdict: "allowed", request: { protocol: "http" } });
    // Another Service leaves it open what the port carries: then Envoy looks for HTTP there.
    writeFileSync(join(lab, "other.yaml"), [service("any", '""'), slice("any", '""')].join("\n---\n"));
    expect(decided(...asked)).toMatchObject({ verdict: "allowed", request: { protocol: "http" }, notes: [] });
    rmSync(lab, { recursive: true });
  });

  it("says what to do about a name that is not there, and about wrong use", () => {
    const unknown = explain("shop/storefrnt", "shop/inventory");
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toContain("known there: inventory, storefront");
    for (const args of [
      ["--port", "0"],
      ["--claims", "[]"],
      ["--header", "x"],
    ]) {
      expect(explain("shop/storefront", "shop/inventory", ...args)).toMatchObject({ code: 2, stdout: "" });
    }
  });
});
