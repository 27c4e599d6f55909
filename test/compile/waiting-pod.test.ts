import { expect, test } from "vitest";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import { newSession } from "../../agent/compile/session.ts";
import { stringify } from "../../agent/lib/yaml.ts";
import type { Guarded, Joining, PodState } from "../../agent/model/pod-state.ts";
import type { Listener } from "../../agent/xds/gen/envoy/config/listener/v3/listener_pb.ts";
import { toPrintable } from "../../agent/xds/registry.ts";
import { goldenOptions } from "../golden/golden-options.ts";
import { meshOf } from "../sources/manifests.ts";

const pod = (name: string, index: number): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop, uid: uid-${name}, labels: { app: ${name} }, annotations: { ambit.dev/netns: /run/netns/${name} } }
spec: { nodeName: node-1, serviceAccountName: ${name}, containers: [{ name: c }] }
status: { phase: Running, podIP: 10.0.0.${index}, podIPs: [{ ip: 10.0.0.${index} }], conditions: [{ type: Ready, status: "True" }] }
`;

const manifests = (mode: string): string =>
  [
    `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { ambit.dev/dataplane-mode: ${mode} } }
`,
    pod("late", 1),
    pod("early", 2),
    `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: STRICT } }
`,
    `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: late, namespace: shop }
spec: { selector: { matchLabels: { app: late } }, rules: [{ to: [{ operation: { paths: [/open] } }] }] }
`,
  ].join("---\n");

/** The states of `late`. */
const WAITING: PodState = { phase: "waiting", since: 0, strict: false, inbound: "open", listeners: "none" };
const GUARDED: Guarded = { phase: "guarded", since: 0, strict: false, inbound: "captured" };
const CLOSED: PodState = { ...GUARDED, strict: true };
const JOINING: Joining = {
  phase: "joining",
  since: 0,
  strict: false,
  inbound: "captured",
  stood: true,
  servedAt: undefined,
};
const FOLLOWED: PodState = { phase: "captured", since: 0, strict: true, announced: 1, followedAt: 2 };

/** The authority has not answered for `late`. */
async function told(late: PodState, mode = "ambient"): Promise<NodeConfig> {
  const mesh = await meshOf(manifests(mode));
  const options = goldenOptions(mesh);
  const issued = [...(options.identities?.certificates ?? [])].filter(([id]) => !id.endsWith("/late"));
  const identities = { certificates: new Map(issued), rootsPem: "(roots)" };
  const pods = new Map([
    ...options.pods,
    ["uid-late", { netns: "/run/netns/late", addresses: ["10.0.0.2"], state: late }],
  ]);
  return compile(mesh, { ...options, identities, pods, remoteCaptured: new Map() }, newSession(0));
}

const listenersOf = ({ xds }: NodeConfig, uid: string): readonly string[] =>
  [...xds.listeners.keys()].filter((name) => name.includes(uid));

/** The inbound listener of `late`, its chains apart. */
function inbound({ xds }: NodeConfig) {
  const { filterChains, filterChainMatcher, ...rest } = xds.listeners.get("inbound|uid-late") as Listener;
  return {
    chains: filterChains.map(({ name }) => name),
    matcher: stringify(filterChainMatcher && toPrintable(filterChainMatcher)),
    rest,
  };
}
const phases = ({ capture }: NodeConfig): unknown => capture.pods.map(({ uid, phase }) => [uid, phase]);

test("a pod that has just begun to wait is left alone: as a rule its certificate is there in some milliseconds", async () => {
  const config = await told(WAITING);
  expect(listenersOf(config, "uid-late")).toEqual([]);
  expect([...config.xds.clusters.keys()]).not.toContain("guard|uid-late");
  expect(config.filters.pods).toEqual([]);
  expect(phases(config)).toEqual([
    ["uid-early", "captured"],
    ["uid-late", "waiting"],
  ]);
});

test("a pod that waits on is captured inbound alone, and guarded by its policies", async () => {
  const config = await told(GUARDED);
  expect(listenersOf(config, "uid-late")).toEqual(["inbound|uid-late"]);
  expect(inbound(config).chains).toEqual(["http", "tcp"]);
  expect(phases(config)).toEqual([
    ["uid-early", "captured"],
    ["uid-late", "guarded"],
  ]);
  expect(config.filters.pods).toEqual([{ uid: "uid-late", policySet: "shop/late" }]);
  expect([...config.xds.clusters.keys()]).toContain("guard|uid-late");
});

test("it takes plaintext where it is STRICT, until it is closed, and not again when its certificate comes", async () => {
  const open = inbound(await told(GUARDED));
  const closed = inbound(await told(CLOSED));
  const certified = inbound(await told({ ...JOINING, strict: true }));
  const followed = inbound(await told(FOLLOWED));
  expect(open.matcher).not.toBe(closed.matcher);
  expect([open.matcher, closed.matcher].map((text) => text.includes("value: tcp"))).toEqual([true, false]);
  expect(certified.matcher).toBe(closed.matcher);
  expect(followed.matcher).toBe(closed.matcher);
});

// Envoy puts such a listener into effect in place, and keeps its connections.
test("waiting, closed and certified it is the same listener but for its chains and what chooses among them", async () => {
  const states = [
    await told(GUARDED),
    await told(CLOSED),
    await told({ ...JOINING, strict: true }),
    await told(JOINING),
  ].map(inbound);
  for (const { rest } of states) expect(rest).toEqual(states[0]?.rest);
  expect(states.map(({ chains }) => chains.length)).toEqual([2, 2, 4, 4]);
});

test("one that leaves while it waits keeps its listener, and is not STRICT any more", async () => {
  const [config, open] = [await told(GUARDED, "none"), await told(GUARDED)];
  expect(listenersOf(config, "uid-late")).toEqual(["inbound|uid-late"]);
  expect(inbound(config)).toEqual(inbound(open));
  expect(phases(config)).toContainEqual(["uid-late", "guarded"]);
});
