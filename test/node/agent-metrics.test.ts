import { text as whole } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { Mesh } from "../../agent/model/mesh.ts";
import { createAgentMetrics } from "../../agent/node/metrics/agent-metrics.ts";
import type { AgentStatus } from "../../agent/node/agent-status.ts";

test("pods are counted by the phases that status and the kernel's records name", async () => {
  const pods = ["captured", "captured", "guarded"].map((phase) => ({ phase, enrolled: phase === "captured" }));
  const status = { pods, problems: [], xds: { nacks: [] }, envoy: { restarts: 0 }, ready: true, node: "node-1" };
  const metrics = createAgentMetrics({
    status: () => status as unknown as AgentStatus,
    pushes: () => 0,
    limits: { counts: () => new Map(), descriptors: 0 },
    counters: () => ({}),
    mesh: () => ({ workloads: [] }) as unknown as Mesh,
    envoyAdmin: "/there/is/no/envoy.sock",
  });
  const lines = (await whole(metrics.page(AbortSignal.timeout(10_000))))
    .split("\n")
    .filter((line) => line.startsWith("ambit_pods"));
  expect(lines).toEqual([
    "ambit_pods 2",
    ...['ambit_pods_in_phase{phase="outside"} 0', 'ambit_pods_in_phase{phase="waiting"} 0'],
    ...['ambit_pods_in_phase{phase="guarded"} 1', 'ambit_pods_in_phase{phase="joining"} 0'],
    ...['ambit_pods_in_phase{phase="captured"} 2', 'ambit_pods_in_phase{phase="leaving"} 0'],
    'ambit_pods_in_phase{phase="left"} 0',
  ]);
});
