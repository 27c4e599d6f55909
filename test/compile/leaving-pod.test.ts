import { expect, test } from "vitest";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import { goldenOptions } from "../golden/golden-options.ts";
import { meshOf } from "../sources/manifests.ts";

const UID = "4c3c9b5e-0000-4000-8000-000000000001";

const manifests = (mode: string): string => `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { ambit.dev/dataplane-mode: ${mode} } }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, uid: ${UID}, annotations: { ambit.dev/netns: /run/netns/web } }
spec: { nodeName: node-1, serviceAccountName: web, containers: [{ name: c }] }
status: { phase: Running, podIP: 10.0.0.1, podIPs: [{ ip: 10.0.0.1 }, { ip: "fd00::1" }] }
`;

// Envoy cuts the connections of a listener that changes, once it has drained them.
test("a pod that leaves and comes back has the same listeners all the time", async () => {
  const told = async (mode: string): Promise<NodeConfig> => {
    const mesh = await meshOf(manifests(mode));
    return compile(mesh, { ...goldenOptions(mesh), leaving: new Set([UID]), certified: new Set([UID]) });
  };
  const [member, leaving] = [await told("ambient"), await told("none")];
  expect([...member.xds.listeners.keys()].filter((name) => name.includes(UID))).toHaveLength(7);
  expect(leaving.xds.listeners).toEqual(member.xds.listeners);
});
