import { request } from "node:http";
import type { Controls } from "../shop/controls.ts";
import type { DemoNode } from "../shop/demo-lab.ts";
import { added, type Cast } from "../shop/measures.ts";
import { isEdgeMetric, parseScrape, type ScrapedSample } from "./edges.ts";

/** Everything that the screen shows of one moment. All counts begin at zero with the lab, and only grow. */
export interface Snapshot {
  /** Milliseconds of `performance.now()`. */
  readonly at: number;
  /** The nodes' Istio standard metrics; fewer where a node did not answer in time. */
  readonly samples: readonly ScrapedSample[];
  /** The storefront's calls to the inventory by outcome, by its own count. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Tries that reached the inventory's processes, by their own count. */
  readonly tries: number;
}

export async function takeSnapshot(nodes: readonly DemoNode[], controls: Controls, cast: Cast): Promise<Snapshot> {
  const [metrics, { outcomes }, counts] = await Promise.all([
    Promise.all(nodes.map((node) => readMetrics(node.metricsUrl))),
    controls.outcomes(cast.storefront.ip),
    Promise.all(cast.inventories.map((pod) => controls.counts(pod.ip))),
  ]);
  return {
    at: performance.now(),
    samples: metrics.flat(),
    outcomes: added([outcomes]),
    tries: counts.reduce((sum, { seen }) => sum + seen.total, 0),
  };
}

/** A node that does not answer has no samples this time; the next snapshot comes a second later. */
function readMetrics(url: string | null): Promise<readonly ScrapedSample[]> {
  if (url === null) return Promise.resolve([]);
  return new Promise((resolve) => {
    const call = request(url, { timeout: 2000 }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("error", () => resolve([]));
      response.on("end", () => resolve(parseScrape(text, isEdgeMetric)));
    });
    call.on("timeout", () => call.destroy());
    call.on("error", () => resolve([]));
    call.end();
  });
}
