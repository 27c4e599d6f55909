import type { Protocol } from "../model/service.ts";

// https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
const BY_NAME: Readonly<Record<string, Protocol>> = {
  http: "http",
  http2: "http2",
  h2c: "http2",
  grpc: "grpc",
  tcp: "tcp",
  // Encrypted by the application: opaque to the mesh.
  https: "tcp",
  tls: "tcp",
  mongo: "tcp",
  mysql: "tcp",
  redis: "tcp",
};

// KEP-3726: the names that Kubernetes itself gives a meaning.
const BY_KUBERNETES_NAME: Readonly<Record<string, Protocol>> = {
  "kubernetes.io/h2c": "http2",
  "kubernetes.io/ws": "http",
  "kubernetes.io/wss": "tcp",
};

/** SMTP, DNS, MySQL, MongoDB: their servers may speak first, so that looking at a client's first bytes could wait for ever. */
const SERVER_FIRST_PORTS: ReadonlySet<number> = new Set([25, 53, 3306, 27_017]);

/** What a TCP port of a Service carries: by appProtocol, else by the port's name up to its first hyphen, else unknown. */
export function protocolOf(port: number, portName: string, appProtocol: string | undefined): Protocol {
  const known = appProtocol === undefined ? undefined : BY_KUBERNETES_NAME[appProtocol];
  if (known !== undefined) return known;
  const name = (appProtocol ?? portName).toLowerCase();
  // gRPC-Web runs over HTTP/1.1 as well as HTTP/2; its name holds the hyphen that ends other names.
  if (name.startsWith("grpc-web")) return "http";
  const prefix = name.split("-", 1)[0] ?? "";
  if (Object.hasOwn(BY_NAME, prefix)) return BY_NAME[prefix] ?? "detect";
  return SERVER_FIRST_PORTS.has(port) ? "tcp" : "detect";
}
