// Telemetry, auth and retry as one module in one VM: what every node's Envoy runs.
import { parts } from "./parts";

export * from "./callbacks";

parts.telemetry = true;
parts.auth = true;
parts.retry = true;
