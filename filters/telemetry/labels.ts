import { Peer } from "../peer";
import { labelled } from "./metric-name";

/** The Service that was called: `name|namespace|host`, as the cluster's metadata has it. */
export class CalledService {
  name: string = "unknown";
  namespace: string = "unknown";
  host: string = "unknown";

  constructor(text: string, destination: Peer) {
    const fields = text.split("|");
    if (fields.length == 3) {
      this.name = fields[0];
      this.namespace = fields[1];
      this.host = fields[2];
    } else if (destination.namespace.length > 0) {
      // Inbound: the Service is not known there, Istio's proxies take the canonical one.
      this.name = destination.canonicalService;
      this.namespace = destination.namespace;
      this.host = destination.canonicalService + "." + destination.namespace + ".svc.cluster.local";
    }
  }
}

function known(value: string): string {
  return value.length == 0 ? "unknown" : value;
}

/** Principals have `spiffe://` before them in Istio's metrics. */
function spiffe(principal: string): string {
  return principal.length == 0 ? "unknown" : "spiffe://" + principal;
}

function cluster(peer: Peer, name: string): string {
  return peer.workload.length == 0 ? "unknown" : name;
}

/** Istio's standard labels (istio.io, "Istio Standard Metrics") for one side's report, as the tail of a metric's name. */
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
    "none",
  ]);
}
