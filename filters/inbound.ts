import {
  Context,
  FilterHeadersStatusValues,
  get_configuration,
  Key,
  RootContext,
  stream_context,
} from "../assembly/index";
import { authorize } from "./auth/authorize";
import { Guards } from "./auth/guards";
import { FilterConfig, parseConfig } from "./config";
import { Peer, UNKNOWN } from "./peer";
import { localPort, ownDestination, Peers, sourceAddress } from "./places";
import { NO_SERVICE } from "./telemetry/labels";
import { HttpReport } from "./telemetry/http-report";
import { reportConnection } from "./telemetry/tcp-report";

const CONTENT_TYPE = new Key("content-type");

/** What arrives at an enrolled pod. */
export class InboundRoot extends RootContext {
  config: FilterConfig = new FilterConfig();
  guards: Guards = new Guards(new FilterConfig());
  peers: Peers = new Peers(new FilterConfig());

  onConfigure(size: u32): bool {
    const config = parseConfig(get_configuration(size));
    if (config === null) return false;
    this.config = config;
    this.guards = new Guards(config);
    this.peers = new Peers(config);
    return true;
  }

  createContext(id: u32): Context {
    return new InboundStream(id, this);
  }
}

class InboundStream extends Context {
  private source: Peer = UNKNOWN;
  private destination: Peer = UNKNOWN;
  private isGrpc: bool = false;

  onRequestHeaders(headers: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const root = changetype<InboundRoot>(this.root_context);
    const contentType = stream_context.headers.request.find(CONTENT_TYPE);
    this.isGrpc = contentType !== null && contentType.startsWith("application/grpc");
    this.destination = ownDestination();
    const address = sourceAddress();
    this.source = root.peers.source(address);
    if (root.guards.byPod.size > 0 && root.guards.byPod.has(this.destination.uid)) {
      const guard = root.guards.byPod.get(this.destination.uid);
      if (!authorize(guard, this.source, address, localPort())) {
        return FilterHeadersStatusValues.StopAllIterationAndBuffer;
      }
    }
    return FilterHeadersStatusValues.Continue;
  }

  onLog(): void {
    const root = changetype<InboundRoot>(this.root_context);
    new HttpReport(this.isGrpc).by(false, this.source, this.destination, NO_SERVICE, root.config.cluster);
  }
}

export class InboundTcpRoot extends RootContext {
  config: FilterConfig = new FilterConfig();
  peers: Peers = new Peers(new FilterConfig());

  onConfigure(size: u32): bool {
    const config = parseConfig(get_configuration(size));
    if (config === null) return false;
    this.config = config;
    this.peers = new Peers(config);
    return true;
  }

  createContext(id: u32): Context {
    return new InboundConnection(id, this);
  }
}

class InboundConnection extends Context {
  onLog(): void {
    const root = changetype<InboundTcpRoot>(this.root_context);
    const source = root.peers.source(sourceAddress());
    reportConnection("destination", source, ownDestination(), NO_SERVICE, root.config.cluster);
  }
}
