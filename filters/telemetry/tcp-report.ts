import { Key, propertyNumber } from "../../assembly/index";
import { Peer } from "../peer";
import { CalledService, standardLabels } from "./labels";
import { counter } from "./metrics";

const RECEIVED = Key.path(["request", "total_size"]);
const SENT = Key.path(["response", "total_size"]);

/** Reports one finished connection: opened, closed, and its bytes, as the caller sees them. */
export function reportConnection(
  reporter: string,
  source: Peer,
  destination: Peer,
  service: CalledService,
  clusterName: string,
): void {
  const called = service.id == 0 ? CalledService.of(destination) : service;
  const labels = standardLabels(reporter, source, destination, called, "tcp", clusterName) + "|response_flags=-";
  counter("istio_tcp_connections_opened_total" + labels).increment();
  counter("istio_tcp_connections_closed_total" + labels).increment();
  counter("istio_tcp_received_bytes_total" + labels).increment(<u32>propertyNumber(RECEIVED));
  counter("istio_tcp_sent_bytes_total" + labels).increment(<u32>propertyNumber(SENT));
}
