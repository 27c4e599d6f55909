import { beforeAll, expect, test } from "vitest";
import { modeOf, type PeerModes } from "../../agent/compile/mtls/peer-mode.ts";
import type { LocalPod } from "../../agent/compile/view/node-view.ts";
import { DEFAULT_CALLER_TIMES } from "../../agent/model/caller-times.ts";
import { accessLogs } from "../../agent/compile/connection/access-log.ts";
import { inboundListeners } from "../../agent/compile/listeners/inbound-listener.ts";
import { effectsOf, type PodState } from "../../agent/model/pod-state.ts";
import type { MtlsMode } from "../../agent/model/peer-authentication.ts";
import type { Listener } from "../../agent/xds/gen/envoy/config/listener/v3/listener_pb.ts";
import { meshOf } from "../sources/manifests.ts";
import { chainOf, type FirstBytes } from "./envoy-matcher.ts";

type Kind = "http" | "tcp" | "unknown";

/** `named`: a PeerAuthentication may speak of it, and no Service; `other`: nobody does. */
const PORTS = { http: 8080, tcp: 9000, named: 7000, other: 7001 } as const;
const KINDS: readonly (readonly [number, Kind])[] = [
  [PORTS.http, "http"],
  [PORTS.tcp, "tcp"],
  [PORTS.named, "unknown"],
  [PORTS.other, "unknown"],
];
const MODES: readonly MtlsMode[] = ["STRICT", "PERMISSIVE", "DISABLE"];

const FIRST: Readonly<Record<string, FirstBytes>> = {
  nothing: {},
  "HTTP/1": { http: "http/1.1" },
  "HTTP/2": { http: "h2c" },
  "TLS without ALPN": { tls: [] },
  "an application's TLS": { tls: ["h2", "http/1.1"] },
  "an application's TLS that has heard of the mesh": { tls: ["http/1.1", "istio-http/1.1", "istio"] },
  "the mesh's HTTP/1": { tls: ["istio-http/1.1", "istio", "http/1.1"] },
  "the mesh's HTTP/2": { tls: ["istio-h2", "istio", "h2"] },
  "the mesh's TCP": { tls: ["istio"] },
};

const CAPTURED: PodState = { phase: "captured", strict: true, since: 0, announced: 0, followedAt: 0 };
/** It waits for its certificate. */
const GUARDED: PodState = { phase: "guarded", strict: true, since: 0, inbound: "captured" };

let pod: LocalPod;

beforeAll(async () => {
  const mesh = await meshOf(`
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, uid: uid-web }
spec: { nodeName: node-1, serviceAccountName: web, containers: [{ name: c }] }
status: { phase: Running, podIP: 10.0.0.1, podIPs: [{ ip: 10.0.0.1 }] }
`);
  const [workload] = mesh.workloads;
  if (workload === undefined) throw new Error("the pod is not there");
  const { addresses } = workload;
  pod = { workload, netns: "/run/netns/web", addresses, state: CAPTURED, effects: effectsOf(CAPTURED) };
});

/** Where nothing is known of any port, one stands for all. */
function everyModes(served: boolean): readonly PeerModes[] {
  const each: readonly (MtlsMode | undefined)[] = [undefined, ...MODES];
  const known = served ? each : [undefined];
  return MODES.flatMap((other) =>
    known.flatMap((http) =>
      known.flatMap((tcp) =>
        each.map((named): PeerModes => {
          const own = [[PORTS.http, http] as const, [PORTS.tcp, tcp] as const, [PORTS.named, named] as const];
          return { other, ports: new Map(own.flatMap(([port, mode]) => (mode === undefined ? [] : [[port, mode]]))) };
        }),
      ),
    ),
  );
}

/** Services tell all that can be told of the pod's ports, or nothing. */
const listeners = (
  modes: PeerModes,
  served: boolean,
  state: PodState = CAPTURED,
  identities = true,
): readonly Listener[] =>
  inboundListeners(
    { ...pod, state, effects: effectsOf(state) },
    served ? { http: [PORTS.http], tcp: [PORTS.tcp] } : { http: [], tcp: [] },
    modes,
    {
      trustDomain: "cluster.local",
      podConnections: 4096,
      times: DEFAULT_CALLER_TIMES,
      hasMtls: identities,
      logs: accessLogs("/dev/stdout"),
    },
  );

const isMesh = ({ tls }: FirstBytes): boolean => tls?.[0]?.startsWith("istio") === true;

/** The chain by mTLS; what is inside is known by the port, or else by what is offered. */
function mtls(kind: Kind, { tls }: FirstBytes): string {
  if (kind !== "unknown") return `mtls-${kind}`;
  return tls?.[0] === "istio" ? "mtls-tcp" : "mtls-http";
}

/** The chain without; TLS of an application is bytes, where it is looked for at all. */
function plain(kind: Kind, { tls, http }: FirstBytes, looks: boolean): string {
  if (kind === "http") return tls !== undefined && looks ? "tcp" : "http";
  return kind === "tcp" || http === undefined ? "tcp" : "http";
}

/** What is to become of a connection; undefined: it is closed. */
function expected(kind: Kind, mode: MtlsMode, first: FirstBytes, waits: boolean): string | undefined {
  const secure = waits ? undefined : mtls(kind, first);
  switch (mode) {
    case "DISABLE":
      return plain(kind, first, false);
    case "PERMISSIVE":
      return isMesh(first) ? secure : plain(kind, first, true);
    case "STRICT":
      // Where the protocol is known nothing is looked for: what is no TLS fails in the handshake.
      return kind !== "unknown" || isMesh(first) ? secure : undefined;
  }
}

/** Of each connection to each port, in each listener: what became of it that should not have. */
function surprises(served: boolean, waits: boolean, identities = true): readonly string[] {
  return everyModes(served).flatMap((modes) => {
    const found = listeners(modes, served, waits ? GUARDED : CAPTURED, identities);
    return KINDS.flatMap(([port, told]) => {
      const kind = served ? told : "unknown";
      const said = modeOf(modes, port);
      const mode = identities || said === "STRICT" ? said : "DISABLE";
      return Object.entries(FIRST).flatMap(([what, first]) => {
        // Without an authority no chain takes mTLS, so that STRICT takes nobody.
        const want = expected(kind, mode, first, waits || !identities);
        return found.flatMap((listener) => {
          const chain = chainOf(listener, port, first);
          if (chain === want) return [];
          const where = `${listener.name}, port ${port} (${kind}, ${mode}; others ${modes.other})`;
          return [`${where}: ${what} goes to ${chain ?? "nobody"}, not to ${want ?? "nobody"}`];
        });
      });
    });
  });
}

test.each([
  [true, false],
  [false, false],
  [true, true],
  [false, true],
])("whatever the modes, each connection comes to its chain (protocols known: %s, waits: %s)", (served, waits) => {
  expect(surprises(served, waits)).toEqual([]);
});

test("without an authority, STRICT ports take nobody, and all else is plaintext", () => {
  expect([...surprises(true, false, false), ...surprises(false, false, false)]).toEqual([]);
});

test("every chain by mTLS asks for a certificate, and no other chain has TLS; both listeners have the same", () => {
  const seen = new Set<number>();
  for (const modes of everyModes(true)) {
    const found = listeners(modes, true);
    seen.add(found.length);
    for (const { filterChains, filterChainMatcher } of found) {
      expect(filterChains.map(({ name, transportSocket }) => [name, transportSocket?.name])).toEqual([
        ["mtls-http", "envoy.transport_sockets.tls"],
        ["mtls-tcp", "envoy.transport_sockets.tls"],
        ["http", undefined],
        ["tcp", undefined],
      ]);
      expect(filterChains).toEqual(found[0]?.filterChains);
      expect(filterChainMatcher).toEqual(found[0]?.filterChainMatcher);
    }
  }
  expect(seen).toEqual(new Set([1, 2]));
});
