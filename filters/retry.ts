// Retry alone; see chain.ts.
import { parts } from "./parts";

export * from "./callbacks";

parts.retry = true;
