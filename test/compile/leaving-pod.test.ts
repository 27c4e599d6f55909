import { expect, test } from "vitest";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import { newSession } from "../../agent/compile/session.ts";
import type { Leaving, PodState } from "../../agent/model/pod-state.ts";
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

const CAPTURED: PodState = { phase: "captured", since: 0, strict: true, announced: 0, followedAt: 0 };
const LEAVING: Leaving = {
  phase: "leaving",
  since: 0,
  step: "withdrawn",
  outbound: "captured",
  servedAt: 0,
  withdrawn: 0,
  followedAt: undefined,
};

// Envoy cuts the connections of a listener that changes, once it has drained them.
test("a pod that leaves and comes back has the same listeners all the time", async () => {
  const listeners = async (mode: string, state: PodState): Promise<NodeConfig["xds"]["listeners"]> => {
    const mesh = await meshOf(manifests(mode));
    const pods = new Map([[UID, { netns: "/run/netns/web", addresses: ["10.0.0.1", "fd00::1"], state }]]);
    return compile(mesh, { ...goldenOptions(mesh), pods }, newSession(0)).xds.listeners;
  };
  const member = await listeners("ambient", CAPTURED);
  expect([...member.keys()].filter((name) => name.includes(UID))).toHaveLength(7);
  expect(await listeners("none", { ...LEAVING, step: "softening" })).toEqual(member);
  expect(await listeners("none", LEAVING)).toEqual(member);
  expect(await listeners("none", { phase: "left", listeners: "all" })).toEqual(member);
  expect(
    await listeners("ambient", { phase: "waiting", since: 0, strict: false, inbound: "open", listeners: "all" }),
  ).toEqual(member);
});

test("a pod's policies hold until it has left", async () => {
  const guarded = async (mode: string, state: PodState): Promise<readonly string[]> => {
    const mesh = await meshOf(`${manifests(mode)}---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nobody, namespace: shop }
spec: { action: ALLOW, rules: [] }
`);
    const pods = new Map([[UID, { netns: "/run/netns/web", addresses: ["10.0.0.1", "fd00::1"], state }]]);
    const { filters } = compile(mesh, { ...goldenOptions(mesh), pods }, newSession(0));
    return filters.pods.map(({ uid }) => uid);
  };
  expect(await guarded("ambient", CAPTURED)).toEqual([UID]);
  expect(await guarded("none", { ...LEAVING, step: "softening" })).toEqual([UID]);
  expect(await guarded("none", LEAVING)).toEqual([UID]);
  expect(await guarded("none", { phase: "left", listeners: "all" })).toEqual([]);
});
