import * as env from "./env";

const NONE = new ArrayBuffer(0);

export enum GrpcStatusValues {
  Unset = -1,
  Ok = 0,
  InvalidArgument = 3,
  PermissionDenied = 7,
  Unavailable = 14,
  Unauthenticated = 16,
}

/**
 * Answers the request instead of the application. `details` shows in the access log (%RESPONSE_CODE_DETAILS%; no spaces).
 * Envoy makes a gRPC answer of it where the request is gRPC. `headers`: added to the answer's own, see `Pairs.of`.
 */
export function send_local_response(
  status: u32,
  details: string,
  body: string,
  grpc: GrpcStatusValues,
  headers: ArrayBuffer = NONE,
): void {
  const detailBytes = String.UTF8.encode(details);
  const bodyBytes = String.UTF8.encode(body);
  env.proxy_send_local_response(
    status,
    changetype<usize>(detailBytes),
    detailBytes.byteLength,
    changetype<usize>(bodyBytes),
    bodyBytes.byteLength,
    changetype<usize>(headers),
    headers.byteLength,
    grpc,
  );
}
