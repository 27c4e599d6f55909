import { expect, test } from "vitest";
import { compile } from "../../agent/compile/compile.ts";
import { newSession } from "../../agent/compile/session.ts";
import { needsOf } from "../../agent/envoy/ads/dependencies.ts";
import { goldenOptions } from "../golden/golden-options.ts";
import { meshOf } from "../sources/manifests.ts";

const MANIFESTS = `
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, uid: web, labels: { ambit.dev/dataplane-mode: ambient }, annotations: { ambit.dev/netns: /run/netns/web } }
spec: { nodeName: node-1, serviceAccountName: web, containers: [{ name: c }] }
status: { phase: Running, podIP: 10.0.0.1, podIPs: [{ ip: 10.0.0.1 }] }
`;

test("a listener is not in service before it has its filters, its routes, its certificate, and whom it believes", async () => {
  const mesh = await meshOf(MANIFESTS);
  const listener = compile(mesh, goldenOptions(mesh), newSession(0)).xds.listeners.get("inbound|web");
  const needs = new Set((listener === undefined ? [] : needsOf(listener)).map(({ kind, name }) => `${kind} ${name}`));
  expect([...needs].toSorted()).toEqual([
    "extensions ambit-first-byte",
    "extensions ambit-inbound",
    "extensions ambit-inbound-tcp",
    "routes inbound",
    "secrets callers",
    "secrets spiffe://cluster.local/ns/shop/sa/web",
  ]);
});
