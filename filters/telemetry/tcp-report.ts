import { Key, propertyNumber } from "../../assembly/index";
import { Edge } from "./edges";
import { edgeSeries } from "./edge-series";

const RECEIVED = Key.path(["request", "total_size"]);
const SENT = Key.path(["response", "total_size"]);

const FIGURES = ["opened", "closed", "received_bytes", "sent_bytes"];
/** A key apart from the outcomes of HTTP requests, which have 47 bits. */
const TCP: u64 = 1 << 48;

/** Counts one finished connection on an edge: opened, closed, and its bytes, as the caller sees them. */
export function reportConnection(edge: Edge, clusterName: string): void {
  let series = edge.find(TCP);
  if (series === null) {
    series = edge.add(TCP, edgeSeries(edge, "istio_tcp", "tcp", clusterName, "|response_flags=-", FIGURES));
  }
  series.add(0, 1);
  series.add(1, 1);
  series.add(2, <u64>propertyNumber(RECEIVED));
  series.add(3, <u64>propertyNumber(SENT));
}
