import { expect, test } from "vitest";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import type { CompileOptions } from "../../agent/compile/options.ts";
import { stringify } from "../../agent/lib/yaml.ts";
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

const LATE = new Set(["uid-late"]);
const EARLY = new Set(["uid-early"]);

/** The authority has not answered for `late`. */
async function told(waited: Partial<CompileOptions>, mode = "ambient"): Promise<NodeConfig> {
  const mesh = await meshOf(manifests(mode));
  const options = goldenOptions(mesh);
  const issued = [...(options.identities?.certificates ?? [])].filter(([id]) => !id.endsWith("/late"));
  const identities = { certificates: new Map(issued), rootsPem: "(roots)" };
  return compile(mesh, { ...options, identities, captured: new Set(), followed: EARLY, ...waited });
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
const captured = ({ capture }: NodeConfig): unknown => capture.pods.map(({ uid, waits }) => [uid, waits]);

test("who has just begun to wait is left alone: as a rule its certificate is there in some milliseconds", async () => {
  const config = await told({});
  expect(listenersOf(config, "uid-late")).toEqual([]);
  expect(captured(config)).toEqual([["uid-early", false]]);
  expect(config.waiting).toEqual([{ uid: "uid-late", guarded: false, closed: false }]);
});

test("who waits on is captured inbound alone, and guarded by its policies", async () => {
  const config = await told({ guarded: LATE });
  expect(listenersOf(config, "uid-late")).toEqual(["inbound|uid-late"]);
  expect(inbound(config).chains).toEqual(["http", "tcp"]);
  expect(captured(config)).toEqual([
    ["uid-early", false],
    ["uid-late", true],
  ]);
  expect(config.filters.pods).toEqual([{ uid: "uid-late", policySet: "shop/late" }]);
  expect([...config.xds.clusters.keys()]).toContain("guard|uid-late");
  expect(config.waiting).toEqual([{ uid: "uid-late", guarded: true, closed: false }]);
});

test("it takes plaintext where it is STRICT, until it is closed, and not again when its certificate comes", async () => {
  const open = inbound(await told({ guarded: LATE }));
  const closed = inbound(await told({ guarded: LATE, closed: LATE }));
  const certified = inbound(await told({ guarded: LATE, closed: LATE, certified: LATE }));
  const followed = inbound(await told({ certified: LATE, followed: new Set([...LATE, ...EARLY]) }));
  expect(open.matcher).not.toBe(closed.matcher);
  expect([open.matcher, closed.matcher].map((text) => text.includes("value: tcp"))).toEqual([true, false]);
  expect(certified.matcher).toBe(closed.matcher);
  expect(followed.matcher).toBe(closed.matcher);
  expect((await told({ guarded: LATE, closed: LATE })).waiting).toMatchObject([{ closed: true }]);
});

// Envoy puts such a listener into effect in place, and keeps its connections.
test("waiting, closed and certified it is the same listener but for its chains and what chooses among them", async () => {
  const states = [
    await told({ guarded: LATE }),
    await told({ guarded: LATE, closed: LATE }),
    await told({ closed: LATE, certified: LATE }),
    await told({ certified: LATE }),
  ].map(inbound);
  for (const { rest } of states) expect(rest).toEqual(states[0]?.rest);
  expect(states.map(({ chains }) => chains.length)).toEqual([2, 2, 4, 4]);
});

test("one that leaves while it waits keeps its listener, and is not STRICT any more", async () => {
  const leaving = { leaving: LATE, guarded: LATE, closed: LATE };
  const [config, open] = [await told(leaving, "none"), await told({ guarded: LATE })];
  expect(listenersOf(config, "uid-late")).toEqual(["inbound|uid-late"]);
  expect(inbound(config)).toEqual(inbound(open));
  expect(config.capture.leaving).toMatchObject([{ uid: "uid-late", waits: true }]);
});
