import type { LoadKind } from "./load-client.ts";
import type { Path } from "./paths.ts";
import { cpuMicroseconds, memoryMegabytes } from "./process-cost.ts";

/** What is asked of each path. */
export interface Workload {
  readonly name: string;
  readonly kind: LoadKind;
  readonly port: number;
  readonly connections: number;
}

export const WORKLOADS: readonly Workload[] = [
  ...httpWorkloads("1 connection", 1),
  ...httpWorkloads("32 connections", 32),
  { name: "TCP, one stream", kind: "bulk", port: 9000, connections: 1 },
  { name: "TCP, new connections by 8", kind: "connections", port: 9001, connections: 8 },
];

function httpWorkloads(suffix: string, connections: number): readonly Workload[] {
  return [
    { name: `HTTP/1.1, ${suffix}`, kind: "http1", port: 8080, connections },
    { name: `HTTP/2, ${suffix}`, kind: "http2", port: 8081, connections },
    { name: `gRPC, ${suffix}`, kind: "grpc", port: 8081, connections },
  ];
}

/** One slice of load on one path. Rates by second, times in ms, CPU in µs for each answer (for a stream: for each MB). */
export interface Sample {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly proxyCpu: number;
  readonly clientCpu: number;
  readonly memory: number;
}

export async function measure(path: Path, workload: Workload, seconds: number): Promise<Sample> {
  const { kind, port, connections } = workload;
  const isHttp = kind === "http1" || kind === "http2" || kind === "grpc";
  const host = isHttp ? path.host.http : path.host.tcp;
  let before = 0;
  const result = await path.client.run({ kind, host, port, connections, seconds }, () => {
    before = cpuMicroseconds(path.proxies);
  });
  const cpu = cpuMicroseconds(path.proxies) - before;
  const units = kind === "bulk" ? result.bytes / 1e6 : result.answers;
  if (units === 0) throw new Error(`${workload.name} to ${path.name}: no answer within ${seconds} s`);
  return {
    rate: units / result.seconds,
    p50: result.p50,
    p99: result.p99,
    proxyCpu: cpu / units,
    clientCpu: (result.clientCpu * 1e6) / units,
    memory: memoryMegabytes(path.proxies),
  };
}
