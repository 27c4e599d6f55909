// Telemetry alone; see chain.ts.
import { parts } from "./parts";

export * from "./callbacks";

parts.telemetry = true;
