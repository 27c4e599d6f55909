// Telemetry, auth and retry as one module in one VM: what every node's Envoy runs. Each exported callback costs a request
// 1–5 µs, so there are only those that something here needs.
import { registerRootContext } from "../assembly/index";
import { InboundRoot, InboundTcpRoot } from "./inbound";
import { OutboundRoot, OutboundTcpRoot } from "./outbound";

export {
  malloc,
  proxy_abi_version_0_2_1,
  proxy_on_configure,
  proxy_on_context_create,
  proxy_on_delete,
  proxy_on_done,
  proxy_on_log,
  proxy_on_request_headers,
  proxy_on_vm_start,
} from "../assembly/exports";

registerRootContext((id) => new OutboundRoot(id), "outbound");
registerRootContext((id) => new InboundRoot(id), "inbound");
registerRootContext((id) => new OutboundTcpRoot(id), "outbound-tcp");
registerRootContext((id) => new InboundTcpRoot(id), "inbound-tcp");
