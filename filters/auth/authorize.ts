import { GrpcStatusValues, Key, send_local_response, stream_context } from "../../assembly/index";
import { Peer } from "../peer";
import { Call, decide } from "./decide";
import { Guard } from "./guards";
import { NormalPath, normalize } from "./path";

const AUTHORITY = new Key(":authority");
const METHOD = new Key(":method");
const PATH = new Key(":path");

/** Decides the request whose headers are here. False: it has been answered, and goes no further. */
export function authorize(guard: Guard, source: Peer, address: string, port: string): bool {
  const headers = stream_context.headers.request;
  const raw = headers.find(PATH);
  const method = headers.find(METHOD);
  const host = headers.find(AUTHORITY);
  // CONNECT has no path; there is nothing to judge it by, and nothing that a pod would need it for.
  const path: NormalPath | null = raw === null ? null : normalize(raw);
  if (raw === null || path === null || method === null) {
    send_local_response(400, "ambit_malformed_path", "malformed path", GrpcStatusValues.InvalidArgument);
    return false;
  }
  const denied = decide(guard.policies, new Call(source, address, host === null ? "" : host, method, path.path, port));
  if (denied.length > 0) {
    const details = "ambit_denied:" + denied;
    send_local_response(403, details, "RBAC: access denied", GrpcStatusValues.PermissionDenied);
    return false;
  }
  // The application must not read another path than the one that was judged.
  if (path.full != raw) headers.set(PATH, path.full);
  return true;
}
