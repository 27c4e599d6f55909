import { Interned } from "../byte-map";
import { Peer } from "../peer";
import { labelled } from "./metric-name";

/** The Service that was called: `name|namespace|host`, from the cluster's metadata. */
export class CalledService {
  name: string = "unknown";
  namespace: string = "unknown";
  host: string = "unknown";

  constructor(
    text: string,
    /** A different number for each text; 0: none. */
    readonly id: u32,
  ) {
    const fields = text.split("|");
    if (fields.length == 3) {
      this.name = fields[0];
      this.namespace = fields[1];
      this.host = fields[2];
    }
  }

  /** Inbound: the Service is not known; Istio's proxies take the workload's canonical service. */
  static of(destination: Peer): CalledService {
    if (destination.id == 0) return NO_SERVICE;
    const short = destination.canonicalService + "|" + destination.namespace + "|";
    return new CalledService(short + short.replaceAll("|", ".") + "svc.cluster.local", 0);
  }
}

export const NO_SERVICE = new CalledService("", 0);

const services = new Interned<CalledService>((text, id) => new CalledService(text, id), NO_SERVICE);

export function serviceOf(start: usize, size: usize): CalledService {
  return services.of(start, size);
}

function known(value: string): string {
  return value.length == 0 ? "unknown" : value;
}

/** No name of Kubernetes has parentheses. */
const GROUPED = "(other)";

/** Of all calls that may have no series of their own: their namespaces, or "" where not even those are told apart. */
export function groupedLabels(reporter: string, source: string, destination: string, protocol: string): string {
  return labelled("", [
    "reporter",
    reporter,
    "source_workload",
    GROUPED,
    "source_workload_namespace",
    source.length > 0 ? source : GROUPED,
    "destination_workload",
    GROUPED,
    "destination_workload_namespace",
    destination.length > 0 ? destination : GROUPED,
    "destination_service",
    GROUPED,
    "destination_service_name",
    GROUPED,
    "destination_service_namespace",
    destination.length > 0 ? destination : GROUPED,
    "request_protocol",
    protocol,
  ]);
}

/** Istio's metrics write principals with `spiffe://`. */
function spiffe(principal: string): string {
  return principal.length == 0 ? "unknown" : "spiffe://" + principal;
}

function cluster(peer: Peer, name: string): string {
  return peer.workload.length == 0 ? "unknown" : name;
}

/**
 * Istio's standard labels (istio.io, "Istio Standard Metrics"), as the tail of a metric's name. `reporter` is "source",
 * "destination", or "both": the agent's metrics page makes two series of that one (agent/node/metrics/istio-series.ts).
 */
export function standardLabels(
  reporter: string,
  source: Peer,
  destination: Peer,
  service: CalledService,
  protocol: string,
  clusterName: string,
): string {
  return labelled("", [
    "reporter",
    reporter,
    "source_workload",
    known(source.workload),
    "source_canonical_service",
    known(source.canonicalService),
    "source_canonical_revision",
    known(source.canonicalRevision),
    "source_workload_namespace",
    known(source.namespace),
    "source_principal",
    spiffe(source.principal),
    "source_app",
    known(source.app),
    "source_version",
    known(source.version),
    "source_cluster",
    cluster(source, clusterName),
    "destination_workload",
    known(destination.workload),
    "destination_workload_namespace",
    known(destination.namespace),
    "destination_principal",
    spiffe(destination.principal),
    "destination_app",
    known(destination.app),
    "destination_version",
    known(destination.version),
    "destination_service",
    service.host,
    "destination_canonical_service",
    known(destination.canonicalService),
    "destination_canonical_revision",
    known(destination.canonicalRevision),
    "destination_service_name",
    service.name,
    "destination_service_namespace",
    service.namespace,
    "destination_cluster",
    cluster(destination, clusterName),
    "request_protocol",
    protocol,
    "connection_security_policy",
    source.mtls || destination.mtls ? "mutual_tls" : "none",
  ]);
}
