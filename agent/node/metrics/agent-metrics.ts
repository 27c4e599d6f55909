import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Mesh } from "../../model/mesh.ts";
import { MESH_PHASES } from "../../model/pod-state.ts";
import type { LimitsReached } from "../../envoy/limits-reached.ts";
import type { AgentStatus } from "../agent-status.ts";
import { Turns } from "../../lib/turns.ts";
import { collectCertificateFigures } from "./certificate-figures.ts";
import { collectNodeFigures } from "./node-figures.ts";
import { proxyMetrics } from "./proxy-metrics.ts";

/** Where the figures come from; asked at each scrape. */
export interface MetricSources {
  status(): AgentStatus;
  pushes(): number;
  readonly limits: Pick<LimitsReached, "counts" | "descriptors">;
  counters(): Readonly<Record<string, bigint>>;
  mesh(): Mesh;
  readonly envoyAdmin: string;
}

export interface AgentMetrics {
  readonly contentType: string;
  /**
   * The page in portions: the agent's own figures, the node's, and its proxy's. Ends early if the signal aborts. It takes
   * its turn when somebody reads the first portion, and must be read to its end, returned, or aborted.
   */
  readonly page: (signal: AbortSignal) => AsyncIterable<string>;
}

/** Envoy buffers what a page needs of it. Two, so that one slow reader does not keep everybody else waiting. */
const PAGES_AT_ONCE = 2;

export function createAgentMetrics(sources: MetricSources): AgentMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "ambit_agent_" });
  collectNodeFigures(registry);
  collectCertificateFigures(registry, () => sources.status());
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge("ambit_pods", "pods of this node that are in the mesh: captured or leaving", () => {
    return sources.status().pods.filter((pod) => pod.enrolled).length;
  });
  new Gauge({
    name: "ambit_pods_in_phase",
    help: "pods of this node, by phase",
    labelNames: ["phase"],
    registers: [registry],
    collect() {
      const { pods } = sources.status();
      for (const phase of MESH_PHASES) this.set({ phase }, pods.filter((pod) => pod.phase === phase).length);
    },
  });
  new Gauge({
    name: "ambit_pods_refusing",
    help: "pods of this node to which new connections are dropped or refused, as nothing captures them, by namespace",
    labelNames: ["namespace"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { namespace, refusing } of sources.status().pods) if (refusing !== undefined) this.inc({ namespace });
    },
  });
  gauge("ambit_ready", "1 when the node's proxy is ready and has its configuration", () => {
    return Number(sources.status().ready);
  });
  gauge("ambit_problems", "problems in the configuration", () => sources.status().problems.length);
  gauge("ambit_xds_rejected_resources", "resources that Envoy rejected", () => sources.status().xds.nacks.length);
  gauge("ambit_xds_pushes_total", "responses sent to Envoy", () => sources.pushes());
  gauge("ambit_envoy_restarts_total", "times that Envoy was started anew", () => sources.status().envoy.restarts);
  gauge("ambit_envoy_open_descriptors", "descriptors that Envoy has open", () => sources.limits.descriptors);
  new Gauge({
    name: "ambit_limit_reached_total",
    help: "what Envoy cut off, by the limit that was reached: connections closed, streams reset, ports refused",
    labelNames: ["limit"],
    registers: [registry],
    collect() {
      for (const [limit, times] of sources.limits.counts()) this.set({ limit }, times);
    },
  });
  new Gauge({
    name: "ambit_capture_decisions_total",
    help: "what the kernel's programs decided, by decision",
    labelNames: ["decision"],
    registers: [registry],
    collect() {
      for (const [decision, count] of Object.entries(sources.counters())) this.set({ decision }, Number(count));
    },
  });
  const turns = new Turns(PAGES_AT_ONCE);
  async function* page(signal: AbortSignal): AsyncGenerator<string> {
    const done = await turns.take(signal);
    try {
      yield await registry.metrics();
      const { envoyAdmin: adminSocket } = sources;
      yield* proxyMetrics({ adminSocket, mesh: sources.mesh(), node: sources.status().node, signal });
    } finally {
      done();
    }
  }
  return { contentType: registry.contentType, page };
}
