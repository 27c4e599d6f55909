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

/** Ports of the pod that the kubelet connects to for readiness, liveness and startup probes, in ascending order. */
export function readProbePorts(spec: Reader): readonly ProbePort[] {
  const ports = new Set<number>();
  const usesNodeNetwork = spec.field("hostNetwork").raw === true;
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
        if (isElsewhere(container.field(probe).field(action).field("host"), usesNodeNetwork)) continue;
        const port = typeof field.raw === "string" ? namedPort(field, field.raw, named) : field.port();
        if (port !== undefined) ports.add(port);
      }
    }
  }
  // The kubelet sends hooks, too. They come to the pod through the mesh, as they are no probes.
  for (const container of runningContainers(spec))
    for (const hook of ["postStart", "preStop"])
      for (const action of ["httpGet", "tcpSocket"])
        isElsewhere(container.field("lifecycle").field(hook).field(action).field("host"), usesNodeNetwork);
  return [...ports].sort((a, b) => a - b);
}

/**
 * A probe with `host` goes to another address than the pod's, so it opens no port of the pod. The kubelet dials whatever address
 * a tenant writes there, also another pod's, whose own probe ports take it for that pod's probe. A pod in its node's network has
 * 127.0.0.1 there with reason.
 */
function isElsewhere(host: Reader, usesNodeNetwork: boolean): boolean {
  if (typeof host.raw !== "string" || host.raw === "") return false;
  if (!usesNodeNetwork)
    host.warning({
      code: "probe-of-another-host",
      reason: `the kubelet dials '${host.raw}' and not the pod; so it could reach another pod's probe ports past the mesh`,
      remedy: "Remove host. In a cluster, refuse such probes at admission.",
    });
  return true;
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
