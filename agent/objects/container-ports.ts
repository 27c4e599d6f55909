import type { ContainerPort, ProbePort } from "../model/workload.ts";
import { isPortName } from "./valid-names.ts";
import type { Reader } from "./reader.ts";

/** Containers that run while the Pod does: init containers with restartPolicy Always (KEP-753) are among them. */
function runningContainers(spec: Reader): readonly Reader[] {
  const helpers = spec
    .field("initContainers")
    .items()
    .filter((container) => container.field("restartPolicy").raw === "Always");
  return [...spec.field("containers").items(), ...helpers];
}

/** Declared TCP and UDP ports of all containers. */
export function readContainerPorts(spec: Reader): readonly ContainerPort[] {
  return runningContainers(spec)
    .flatMap((container) => container.field("ports").list(readContainerPort))
    .flatMap(({ protocol, ...port }) => (protocol === "SCTP" ? [] : [{ ...port, protocol }]));
}

/** A port of a container as it is written, whatever its transport protocol. */
export interface WrittenContainerPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

export function readContainerPort(entry: Reader): WrittenContainerPort | undefined {
  const protocol = entry.field("protocol").oneOf(["TCP", "UDP", "SCTP"]) ?? "TCP";
  const name = entry
    .field("name")
    .parsed(
      (text) => (text === "" || isPortName(text) ? text : undefined),
      "a port's name",
      "Use at most 15 lower-case letters, digits and hyphens, at least one letter.",
    );
  const port = entry.field("containerPort").required().port();
  return port === undefined ? undefined : { name: name ?? "", port, protocol };
}

/** Ports that the kubelet connects to for readiness, liveness and startup probes, in ascending order. */
export function readProbePorts(spec: Reader): readonly ProbePort[] {
  const ports = new Set<number>();
  for (const container of runningContainers(spec)) {
    const named = new Map(
      container
        .field("ports")
        .items()
        .map((entry) => [entry.field("name").raw, entry.field("containerPort").raw] as const),
    );
    for (const probe of ["readinessProbe", "livenessProbe", "startupProbe"]) {
      for (const action of ["httpGet", "tcpSocket", "grpc"]) {
        const field = container.field(probe).field(action).field("port");
        const port = typeof field.raw === "string" ? namedPort(field, field.raw, named) : field.port();
        if (port !== undefined) ports.add(port);
      }
    }
  }
  return [...ports].sort((a, b) => a - b);
}

function namedPort(field: Reader, name: string, named: ReadonlyMap<unknown, unknown>): number | undefined {
  const port = named.get(name);
  // A port that is declared and out of range has been reported where it is declared.
  if (typeof port === "number") return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
  return field.invalid(
    "probe-port-not-found",
    `the container declares no port named ${JSON.stringify(name)}`,
    "Write the number, or declare the port under ports.",
  );
}
