import { copyFileSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";

const MAX_BYTES = 64 << 20;
const INTERVAL_MS = 10_000;
/** Folders of a node that hold no logs; one of them is a mounted bpffs. */
const OTHERS = new Set(["bpf", "cluster", "netns", "etc", "filters"]);

/**
 * Keeps the logs of a lab from filling the disk: a `*.log` that has grown past the limit becomes `*.log.1`. Who writes it
 * does so at its end (O_APPEND), and goes on at the beginning of the emptied file.
 */
export function limitLogs(folder: string): void {
  setInterval(() => {
    for (const file of logsBelow(folder)) limit(file);
  }, INTERVAL_MS).unref();
}

function limit(file: string): void {
  try {
    if (statSync(file).size < MAX_BYTES) return;
    copyFileSync(file, `${file}.1`);
    truncateSync(file, 0);
  } catch {
    // Its pod has gone in the meantime.
  }
}

function logsBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return OTHERS.has(entry.name) ? [] : logsBelow(path);
      return entry.isFile() && entry.name.endsWith(".log") ? [path] : [];
    });
  } catch {
    return [];
  }
}
