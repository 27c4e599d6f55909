import type { SizeResult } from "../size/size-suite.ts";
import { spread, table } from "./table.ts";

const HEAD = [
  "100 pods on one node",
  "enrolled s",
  "endpoint in Envoy ms",
  "bytes",
  "agent CPU % idle",
  "at 50 changes/s",
  "agent MB",
  "Envoy MB",
];

export function sizeTable(results: readonly SizeResult[]): string {
  return table(
    HEAD,
    results.map((result) => [
      `${result.services} Services of 10 endpoints`,
      result.enrolSeconds.toFixed(1),
      spread(result.endpointMs, 0),
      result.endpointBytes.toFixed(0),
      result.idleCpu.toFixed(1),
      result.busyCpu.toFixed(0),
      result.agentMemory.toFixed(0),
      result.envoyMemory.toFixed(0),
    ]),
  );
}
