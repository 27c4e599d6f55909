import {
  Context,
  FilterHeadersStatusValues,
  get_configuration,
  Key,
  property,
  propertyText,
  RootContext,
  stream_context,
} from "../assembly/index";
import { authorize } from "./auth/authorize";
import { Guards } from "./auth/guards";
import { FilterConfig, parseConfig } from "./config";
import { Peer, peerOf, UNKNOWN } from "./peer";
import { ownSource, sourceAddress } from "./places";
import { Budgets } from "./retry/budget";
import { allowRetries, RequestRetries } from "./retry/retry";
import { HttpReport } from "./telemetry/http-report";
import { serviceOf } from "./telemetry/labels";
import { reportConnection } from "./telemetry/tcp-report";

const CLUSTER_NAME = Key.path(["xds", "cluster_name"]);
const CLUSTER_SERVICE = Key.path(["xds", "cluster_metadata", "filter_metadata", "ambit", "service"]);
const HOST_PEER = Key.path(["xds", "upstream_host_metadata", "filter_metadata", "ambit", "peer"]);
const CONTENT_TYPE = new Key("content-type");

/** What enrolled pods call: one pass is enough where the destination is on this node, too. */
export class OutboundRoot extends RootContext {
  config: FilterConfig = new FilterConfig();
  guards: Guards = new Guards(new FilterConfig());
  budgets: Budgets = new Budgets(new FilterConfig());

  onConfigure(size: u32): bool {
    const config = parseConfig(get_configuration(size));
    if (config === null) return false;
    this.config = config;
    this.guards = new Guards(config);
    this.budgets = new Budgets(config);
    return true;
  }

  createContext(id: u32): Context {
    return new OutboundStream(id, this);
  }
}

class OutboundStream extends Context {
  private retries: RequestRetries | null = null;
  private source: Peer = UNKNOWN;
  private isGrpc: bool = false;

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const root = changetype<OutboundRoot>(this.root_context);
    const contentType = stream_context.headers.request.find(CONTENT_TYPE);
    this.isGrpc = contentType !== null && contentType.startsWith("application/grpc");
    this.source = ownSource();
    if (root.guards.byCluster.size > 0) {
      const cluster = propertyText(CLUSTER_NAME);
      if (root.guards.byCluster.has(cluster)) {
        const guard = root.guards.byCluster.get(cluster);
        if (!authorize(guard, this.source, sourceAddress(), guard.port)) {
          return FilterHeadersStatusValues.StopAllIterationAndBuffer;
        }
      }
    }
    this.retries = allowRetries(root.budgets);
    return FilterHeadersStatusValues.Continue;
  }

  onLog(): void {
    const root = changetype<OutboundRoot>(this.root_context);
    const retries = this.retries;
    if (retries !== null) retries.settle();
    const source = this.source;
    const destination = peerOf(property(HOST_PEER));
    const service = serviceOf(property(CLUSTER_SERVICE));
    const report = new HttpReport(this.isGrpc);
    report.by(true, source, destination, service, root.config.cluster);
    if (destination.near) report.by(false, source, destination, service, root.config.cluster);
  }
}

export class OutboundTcpRoot extends RootContext {
  cluster: string = "";

  onConfigure(size: u32): bool {
    const config = parseConfig(get_configuration(size));
    if (config === null) return false;
    this.cluster = config.cluster;
    return true;
  }

  createContext(id: u32): Context {
    return new OutboundConnection(id, this);
  }
}

class OutboundConnection extends Context {
  onLog(): void {
    const root = changetype<OutboundTcpRoot>(this.root_context);
    const source = ownSource();
    const destination = peerOf(property(HOST_PEER));
    const service = serviceOf(property(CLUSTER_SERVICE));
    reportConnection("source", source, destination, service, root.cluster);
    if (destination.near) reportConnection("destination", source, destination, service, root.cluster);
  }
}
