import * as env from "./env";

export enum GrpcStatusValues {
  Unset = -1,
  Ok = 0,
  InvalidArgument = 3,
  PermissionDenied = 7,
  Unavailable = 14,
  Unauthenticated = 16,
}

/**
 * Answers in the application's place. `details` shows in the access log (%RESPONSE_CODE_DETAILS%; no spaces). Envoy makes
 * a gRPC answer of it where the request is gRPC.
 */
export function send_local_response(status: u32, details: string, body: string, grpc: GrpcStatusValues): void {
  const detailBytes = String.UTF8.encode(details);
  const bodyBytes = String.UTF8.encode(body);
  env.proxy_send_local_response(
    status,
    changetype<usize>(detailBytes),
    detailBytes.byteLength,
    changetype<usize>(bodyBytes),
    bodyBytes.byteLength,
    0,
    0,
    grpc,
  );
}
