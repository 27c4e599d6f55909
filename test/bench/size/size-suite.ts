import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { askUnix } from "../../../agent/lib/unix-http.ts";
import { BenchLab } from "../bench-lab.ts";
import { cpuMicroseconds, memoryMegabytes } from "../process-cost.ts";
import { figure, type Figure } from "../statistics.ts";
import { clusterIP, namespace, NAMESPACE, PODS, slice, sliceFile, writeCluster } from "./size-manifests.ts";

/** What one node costs in a cluster of a size. Memory in MB, CPU in per cent of one core. */
export interface SizeResult {
  readonly services: number;
  /** From the namespace's label until all pods are enrolled. */
  readonly enrolSeconds: number;
  /** From a changed endpoint's file until Envoy has it. */
  readonly endpointMs: Figure;
  /** What the agent writes to Envoy for it. */
  readonly endpointBytes: number;
  readonly idleCpu: number;
  readonly busyCpu: number;
  /** Memory after that: of the agent and of Envoy. */
  readonly agentMemory: number;
  readonly envoyMemory: number;
}

export interface SizeOptions {
  readonly root: string;
  readonly progress: (text: string) => void;
}

/** Services that the node's pods call; those are what its proxy is told of. */
const USED = 50;
const CHANGES = 50;
const CHANGES_A_SECOND = 50;
const WATCH_MS = 10_000;

export async function runSize({ root, progress }: SizeOptions): Promise<readonly SizeResult[]> {
  const results = [];
  for (const services of [1_000, 5_000]) {
    progress(`size: ${PODS} pods, ${services} Services`);
    results.push(await measureSize(root, services));
  }
  return results;
}

async function measureSize(root: string, services: number): Promise<SizeResult> {
  const lab = new BenchLab(root);
  try {
    writeCluster(lab.manifests, services);
    await lab.up(1);
    const { nodes } = await lab.status();
    const [node] = nodes;
    if (node === undefined) throw new Error("the lab has no node");
    const { agentPid, envoyPid, adminSocket } = node;
    const proxySocket = adminSocket.replace("admin.sock", "envoy-admin.sock");
    const admin = async (path: string): Promise<string> => (await askUnix(proxySocket, path)).body;
    const write = (file: string, object: unknown): void =>
      writeFileSync(join(lab.manifests, file), JSON.stringify(object));

    const labelled = performance.now();
    write("namespace.json", namespace(true));
    await until("all pods are enrolled", async () => {
      const { pods } = JSON.parse((await askUnix(adminSocket, "/status")).body) as {
        pods: readonly { enrolled: boolean }[];
      };
      return pods.filter(({ enrolled }) => enrolled).length === PODS;
    });
    const enrolSeconds = (performance.now() - labelled) / 1000;

    await callServices(lab);
    const received = async (): Promise<number> =>
      Number(/^cluster\.ads\.upstream_cx_rx_bytes_total: (\d+)/mu.exec(await admin("/stats?filter=cluster.ads"))?.[1]);
    const bytesBefore = await received();
    const times: number[] = [];
    for (let index = 0; index < CHANGES; index++) {
      const address = `10.250.${index}.1`;
      const changed = performance.now();
      write(sliceFile(index % USED), slice(index % USED, [address]));
      const filter = `/clusters?filter=${clusterIP(index % USED).replaceAll(".", "\\.")}:80`;
      await until("Envoy has the endpoint", async () => (await admin(filter)).includes(address));
      times.push(performance.now() - changed);
    }
    const endpointBytes = ((await received()) - bytesBefore) / CHANGES;

    const busyCpu = await cpuWhile(agentPid, async () => {
      const started = performance.now();
      for (let count = 0; performance.now() - started < WATCH_MS; count++) {
        write(sliceFile(count % USED), slice(count % USED, [`10.251.${count % 250}.1`]));
        await pause(Math.max(0, started + ((count + 1) * 1000) / CHANGES_A_SECOND - performance.now()));
      }
    });
    const idleCpu = await cpuWhile(agentPid, () => pause(WATCH_MS));
    return {
      services,
      enrolSeconds,
      endpointMs: figure(times),
      endpointBytes,
      idleCpu,
      busyCpu,
      agentMemory: memoryMegabytes([agentPid]),
      envoyMemory: memoryMegabytes([envoyPid]),
    };
  } finally {
    await lab.down();
  }
}

/** A call of each of the used Services; nobody is there to answer, but now the proxy knows them. */
async function callServices(lab: BenchLab): Promise<void> {
  const hosts = Array.from({ length: USED }, (_, index) => clusterIP(index));
  const script = `
    const { get } = require("node:http");
    let left = ${USED};
    const done = () => --left === 0 && process.exit(0);
    for (const host of ${JSON.stringify(hosts)}) {
      const sent = get({ host, timeout: 2000 }, (response) => response.resume().on("end", done));
      sent.on("timeout", () => sent.destroy()).on("error", done);
    }`;
  await lab.exec(`${NAMESPACE}/pod-0`, process.execPath, "-e", script);
}

async function cpuWhile(pid: number, work: () => Promise<void>): Promise<number> {
  const [started, before] = [performance.now(), cpuMicroseconds([pid])];
  await work();
  return (cpuMicroseconds([pid]) - before) / ((performance.now() - started) * 10);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 60_000; performance.now() < deadline; await pause(2)) {
    if (await holds()) return;
  }
  throw new Error(`not within a minute: ${what}`);
}
