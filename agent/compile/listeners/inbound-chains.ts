import type { MtlsMode } from "../../model/peer-authentication.ts";
import type { Matcher } from "../../xds/gen/xds/type/matcher/v3/matcher_pb.ts";
import { MESH_HTTP_PREFIX, MESH_TLS_PREFIX } from "../mtls/alpn.ts";
import { modeOf, type PeerModes } from "../mtls/peer-mode.ts";
import type { PodPorts } from "../view/pod-ports.ts";
import { chainsByPort, isTls, offers, type ChainRule } from "./matcher.ts";

/** Filter chains of a pod's inbound listener. */
export const CHAINS = { mtlsHttp: "mtls-http", mtlsTcp: "mtls-tcp", http: "http", tcp: "tcp" } as const;

type PortKind = "http" | "tcp" | "detect";

/**
 * Chooses a filter chain for each connection. Connections without a chain, such as plaintext in STRICT mode, are
 * closed.
 */
export function inboundChains(ports: PodPorts, modes: PeerModes): Matcher {
  const kinds = portKinds(ports, modes);
  return chainsByPort(
    new Map([...kinds].map(([port, kind]) => [port, rules(kind, modeOf(modes, port))])),
    rules("detect", modes.other),
  );
}

function portKinds({ http, tcp }: PodPorts, modes: PeerModes): ReadonlyMap<number, PortKind> {
  const ofMode = [...modes.ports.keys()].map((port) => [port, "detect"] as const);
  const known = [...http.map((port) => [port, "http"] as const), ...tcp.map((port) => [port, "tcp"] as const)];
  return new Map([...new Map<number, PortKind>([...ofMode, ...known])].toSorted(([a], [b]) => a - b));
}

/**
 * Ports where the listener need not look for TLS, as it never takes the mesh's own there (DISABLE). STRICT ports are
 * not among them: if only the matcher differs from PERMISSIVE, Envoy changes the listener in place and keeps its
 * connections.
 */
export function settledPorts(ports: PodPorts, modes: PeerModes): readonly number[] {
  return [...portKinds(ports, modes)].flatMap(([port, kind]) =>
    kind !== "detect" && modeOf(modes, port) === "DISABLE" ? [port] : [],
  );
}

function rules(kind: PortKind, mode: MtlsMode): readonly ChainRule[] {
  switch (mode) {
    case "STRICT":
      return strict(kind);
    case "DISABLE":
      return kind === "detect" ? [OWN_TLS, ...plain(kind)] : plain(kind);
    case "PERMISSIVE":
      return [...mesh(kind), OWN_TLS, ...plain(kind)];
  }
}

/**
 * An application's own TLS offers none of the mesh's names by ALPN. It passes as bytes, as any HTTP is encrypted inside
 * it.
 */
const OWN_TLS: ChainRule = { when: [isTls], chain: CHAINS.tcp };

function mesh(kind: PortKind): readonly ChainRule[] {
  const meshTls = [isTls, offers(MESH_TLS_PREFIX)];
  switch (kind) {
    case "http":
      return [{ when: meshTls, chain: CHAINS.mtlsHttp }];
    case "tcp":
      return [{ when: meshTls, chain: CHAINS.mtlsTcp }];
    case "detect":
      return [
        { when: [isTls, offers(MESH_HTTP_PREFIX)], chain: CHAINS.mtlsHttp },
        { when: meshTls, chain: CHAINS.mtlsTcp },
      ];
  }
}

/**
 * If the port's protocol is known, every connection is treated as TLS without a look at its bytes: a server may speak
 * first.
 */
function strict(kind: PortKind): readonly ChainRule[] {
  switch (kind) {
    case "http":
      return [{ when: [], chain: CHAINS.mtlsHttp }];
    case "tcp":
      return [{ when: [], chain: CHAINS.mtlsTcp }];
    case "detect":
      return mesh(kind);
  }
}

function plain(kind: PortKind): readonly ChainRule[] {
  switch (kind) {
    case "http":
      return [{ when: [], chain: CHAINS.http }];
    case "tcp":
      return [{ when: [], chain: CHAINS.tcp }];
    case "detect":
      // These are the names that http_inspector reports.
      return [
        { when: [offers("'http/1.")], chain: CHAINS.http },
        { when: [offers("'h2c")], chain: CHAINS.http },
        { when: [], chain: CHAINS.tcp },
      ];
  }
}
