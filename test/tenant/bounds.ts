import type { NodeConfig } from "../../agent/compile/compile.ts";

/** Of the kernel's map of destinations, which all namespaces share (`lib/maps.h`), one namespace gets no more than a part. */
const MOST_DESTINATIONS = 32_768;
const MOST_CLUSTERS = 16_384;
/** For both nodes; a small mesh takes a few. */
const MOST_MS = 2_000;

/** Where the objects of one tenant cost more than one tenant may cost. */
export function boundFindings(before: NodeConfig, after: NodeConfig, ms: number): readonly string[] {
  const grown = (what: string, from: number, to: number, most: number): readonly string[] =>
    to - from > most ? [`${to - from} more ${what}, and ${most} are allowed`] : [];
  return [
    ...grown(
      "destinations in the kernel",
      before.capture.destinations.length,
      after.capture.destinations.length,
      MOST_DESTINATIONS,
    ),
    ...grown("clusters", before.xds.onDemandClusters.size, after.xds.onDemandClusters.size, MOST_CLUSTERS),
    ...(ms > MOST_MS ? [`it takes ${Math.round(ms)} ms`] : []),
  ];
}
