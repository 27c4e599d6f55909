import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mesh } from "../../agent/model/mesh.ts";
import { loadManifests } from "../../agent/sources/load-manifests.ts";
import type { AuthzCase, Caller } from "./case.ts";

/** Where the cases' pods are, where no lab runs them. */
export const ADDRESSES: Readonly<Record<Caller | "web", string>> = {
  alice: "10.244.1.4",
  bob: "10.244.1.5",
  carol: "10.244.1.6",
  stranger: "10.244.1.7",
  web: "10.244.1.10",
};
export const NAMESPACES: Readonly<Record<Caller, string>> = {
  alice: "shop",
  bob: "shop",
  carol: "ops",
  stranger: "outside",
};
export const ACCOUNTS: Readonly<Record<Caller, string>> = {
  alice: "alice",
  bob: "bob",
  carol: "alice",
  stranger: "stranger",
};
export const WEB_CLUSTER = "10.96.0.10:80";

const WORLD = `
{ apiVersion: v1, kind: Namespace, metadata: { name: shop, labels: { ambit.dev/dataplane-mode: ambient } } }
---
{ apiVersion: v1, kind: Namespace, metadata: { name: ops, labels: { ambit.dev/dataplane-mode: ambient } } }
---
{ apiVersion: v1, kind: Namespace, metadata: { name: outside } }
---
{ apiVersion: v1, kind: Namespace, metadata: { name: istio-system } }
---
${(["alice", "bob", "carol", "stranger"] as const).map((name) => pod(NAMESPACES[name], name, ACCOUNTS[name])).join("\n---\n")}
---
${pod("shop", "web", "web")}
---
{ apiVersion: v1, kind: Service, metadata: { name: web, namespace: shop }, spec: { clusterIP: 10.96.0.10, selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }, { name: tcp-raw, port: 9000 }] } }
---
{ apiVersion: v1, kind: Service, metadata: { name: other, namespace: shop }, spec: { clusterIP: 10.96.0.11, selector: { app: other }, ports: [{ name: http, port: 80 }] } }
`;

function pod(namespace: string, name: string, account: string): string {
  const metadata = `{ name: ${name}, namespace: ${namespace}, uid: uid-${name}, labels: { app: ${name} }, annotations: { ambit.dev/netns: /run/netns/${name} } }`;
  const spec = `{ nodeName: node-1, serviceAccountName: ${account}, containers: [{ name: app, image: app }] }`;
  const status = `{ phase: Running, podIPs: [{ ip: ${ADDRESSES[name as Caller | "web"]} }] }`;
  return `{ apiVersion: v1, kind: Pod, metadata: ${metadata}, spec: ${spec}, status: ${status} }`;
}

/** The case's policies with the pods' addresses in place of their names. */
export function withAddresses(text: string, addressesOf: (name: string) => readonly string[]): string {
  return text.replaceAll(/\$([a-z]+)/gu, (_, name: string) => addressesOf(name).join(", "));
}

/** The mesh of one case. */
export async function meshOf({ policies }: AuthzCase): Promise<Mesh> {
  const folder = mkdtempSync(join(tmpdir(), "ambit-authz-"));
  try {
    writeFileSync(join(folder, "world.yaml"), WORLD);
    const text = withAddresses(policies, (name) => [ADDRESSES[name as Caller | "web"]]);
    writeFileSync(join(folder, "policies.yaml"), text);
    return await loadManifests([folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
