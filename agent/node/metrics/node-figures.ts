import { Gauge, type Registry } from "prom-client";

const MAX_AGE_MS = 5_000;

interface NodeFigures {
  readonly load1: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
}

/** CPU and memory of the node. Read at most every five seconds, however often they are scraped. */
export function collectNodeFigures(registry: Registry): void {
  let read: { readonly at: number; readonly figures: Promise<NodeFigures> } | undefined;
  const figures = (): Promise<NodeFigures> => {
    if (read === undefined || Date.now() - read.at > MAX_AGE_MS) read = { at: Date.now(), figures: readFigures() };
    return read.figures;
  };
  const gauge = (name: string, help: string, of: (figures: NodeFigures) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(of(await figures()));
      },
    });
  };
  gauge("ambit_node_load1", "load average of the node over one minute", ({ load1 }) => load1);
  gauge(
    "ambit_node_memory_used_bytes",
    "memory of the node that is in use, page cache apart",
    (f) => f.memoryUsedBytes,
  );
  gauge("ambit_node_memory_total_bytes", "memory of the node", (f) => f.memoryTotalBytes);
}

async function readFigures(): Promise<NodeFigures> {
  // Imported late: it costs the start of every command 50 ms.
  const { default: si } = await import("systeminformation");
  const [load, memory] = await Promise.all([si.currentLoad(), si.mem()]);
  return { load1: load.avgLoad, memoryUsedBytes: memory.active, memoryTotalBytes: memory.total };
}
