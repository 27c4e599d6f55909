import { AccessLogSchema, type AccessLog } from "../../xds/gen/envoy/config/accesslog/v3/accesslog_pb.ts";
import { FileAccessLogSchema } from "../../xds/gen/envoy/extensions/access_loggers/file/v3/file_pb.ts";
import { any, create } from "../../xds/proto.ts";
import { DESTINATION, PEER_IP, SOURCE } from "./filter-state.ts";

type Direction = "outbound" | "inbound";

const COMMON: Record<string, string> = {
  start_time: "%START_TIME%",
  source: `%FILTER_STATE(${SOURCE}:PLAIN)%`,
  // The SPIFFE ID in the caller's certificate; empty without mTLS.
  source_principal: "%DOWNSTREAM_PEER_URI_SAN%",
  source_address: `%FILTER_STATE(${PEER_IP}:PLAIN)%`,
  destination_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  upstream_cluster: "%UPSTREAM_CLUSTER%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  response_flags: "%RESPONSE_FLAGS%",
  // For a denied request: the auth filter's reason.
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  duration_ms: "%DURATION%",
};

/** In bytes: a caller chooses them, each node on the way writes them down, and others wait meanwhile. */
const LONGEST_PATH = 2048;
const LONGEST_NAME = 256;

const HTTP: Record<string, string> = {
  method: "%REQ(:METHOD)%",
  path: `%REQ(:PATH):${LONGEST_PATH}%`,
  authority: `%REQ(:AUTHORITY):${LONGEST_NAME}%`,
  protocol: "%PROTOCOL%",
  response_code: "%RESPONSE_CODE%",
  grpc_status: "%GRPC_STATUS_NUMBER%",
  attempts: "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
  user_agent: `%REQ(USER-AGENT):${LONGEST_NAME}%`,
  // From the auth filter: the AUDIT policies that match, and what the policies of a dry run would have decided.
  audit: "%FILTER_STATE(wasm.ambit.audit:PLAIN)%",
  dry_run: "%FILTER_STATE(wasm.ambit.dry_run:PLAIN)%",
};

/** The access log of a listener, or an empty list where the node writes none. */
export type AccessLogs = (direction: Direction, kind: "http" | "tcp") => AccessLog[];

/**
 * Envoy's own access log, one JSON object a line: it costs less than a line from a filter. Hundreds of listeners share
 * these four messages, and each message is made once.
 */
export function accessLogs(path: string | undefined): AccessLogs {
  if (path === undefined) return () => [];
  const made = new Map<string, AccessLog>();
  return (direction, kind) => {
    const key = `${direction} ${kind}`;
    const log = made.get(key) ?? accessLog(path, direction, kind);
    made.set(key, log);
    return [log];
  };
}

function accessLog(path: string, direction: Direction, kind: "http" | "tcp"): AccessLog {
  const where = direction === "inbound" ? { destination: `%FILTER_STATE(${DESTINATION}:PLAIN)%` } : {};
  const json: Record<string, string> = {
    direction,
    ...COMMON,
    ...where,
    ...(kind === "http" ? HTTP : { protocol: "TCP" }),
  };
  return create(AccessLogSchema, {
    name: "envoy.access_loggers.file",
    configType: {
      case: "typedConfig",
      value: any(FileAccessLogSchema, {
        path,
        accessLogFormat: {
          case: "logFormat",
          value: { format: { case: "jsonFormat", value: json } },
        },
      }),
    },
  });
}
