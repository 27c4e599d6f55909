import {
  GrpcStatusValues,
  Key,
  noteGarbage,
  send_local_response,
  setProperty,
  stream_context,
} from "../../assembly/index";
import { readLocalPort } from "../filter-state";
import { Peer } from "../peer";
import { requestHeaders } from "../request-headers";
import { Call } from "./call";
import { audit, decide, rehearse } from "./decide";
import { authenticate, authenticated } from "./jwt/authenticate";
import { isNormal, normalPath } from "./path";
import { PolicySetRules } from "./rules";

const PATH = new Key(":path");
/** Filter state in which the access log finds the results of AUDIT policies and dry runs (agent/compile/access-log.ts). */
const AUDIT = new Key("ambit.audit");
const DRY_RUN = new Key("ambit.dry_run");
const call = new Call();

/**
 * Decides the request whose headers are here. False: the module has answered it. `port` null: the function asks Envoy
 * for it.
 */
export function authorize(set: PolicySetRules, source: Peer, port: ArrayBuffer | null): bool {
  call.begin(source);
  set.headers.forget();
  const tokens = set.tokens;
  if (tokens !== null) {
    if (!authenticate(tokens, set.readsAnyHeader)) return false;
    call.identity = authenticated.identity;
  }
  if (set.readsAddress) call.readAddress();
  if (set.readsDestination) call.readDestination();
  if (set.readsPort) {
    if (port !== null) call.port.of(port);
    else if (readLocalPort()) call.port.answer();
  }
  let isRewritten = false;
  if (set.readsHeaders) {
    const headers = requestHeaders;
    call.host.at(headers.host.start, headers.host.size);
    call.method.at(headers.method.start, headers.method.size);
    // CONNECT has no path that a policy could judge, and pods have no use for it.
    if (set.judgesHeaders && (call.method.size == 0 || headers.path.size == 0)) return malformed();
    if (set.readsPath && !isNormal(headers.path, call.path)) {
      if (normalPath.read(headers.path)) {
        call.path.at(normalPath.path.start, normalPath.path.size);
        isRewritten = set.judgesPath && normalPath.differs(headers.path);
      } else if (set.judgesPath) {
        return malformed();
      }
    }
  }
  if (set.audits.length + set.dryRuns.length > 0) mark(set);
  const denied = decide(set.policies, call);
  if (denied.length > 0) {
    noteGarbage(1024);
    const details = "ambit_denied:" + denied;
    send_local_response(403, details, "RBAC: access denied", GrpcStatusValues.PermissionDenied);
    return false;
  }
  // The application must not read another path than the one that was judged.
  if (isRewritten) stream_context.headers.request.setAt(PATH, normalPath.full.start, normalPath.full.size);
  return true;
}

function mark(set: PolicySetRules): void {
  noteGarbage(1024);
  const audited = audit(set, call);
  if (audited.length > 0) setProperty(AUDIT, audited);
  if (set.dryRuns.length > 0) setProperty(DRY_RUN, rehearse(set, call));
}

function malformed(): bool {
  send_local_response(400, "ambit_malformed_path", "malformed path", GrpcStatusValues.InvalidArgument);
  return false;
}
