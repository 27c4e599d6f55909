/**
 * Envoy answers for what it is sent when its main thread has taken it. For so long after that, one of its workers may still
 * go by what was there before: take a connection by the listener as it was, or have one on its way to the endpoint as it was.
 */
export const WORKER_LAG_MS = 250;
