import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { constants } from "node:os";
import type { EnvoyTrouble } from "./proxy.ts";

/** How an Envoy ended, and how often that has happened. */
export interface Ending {
  /** "with exit code 1", "by SIGSEGV"; "" if that is not known. */
  readonly how: string;
  /** undefined if another agent started this Envoy. */
  readonly livedMs: number | undefined;
  /** How many Envoys in a row have ended soon after their start, this one included. */
  readonly inARow: number;
  readonly said: string;
}

export function endedTrouble({ how, livedMs, inARow, said }: Ending, logFile: string, command: string): EnvoyTrouble {
  const after = livedMs !== undefined && livedMs < 2_000 ? " right after its start" : "";
  const often = inARow > 1 ? `, ${inARow} times in a row` : "";
  return {
    since: new Date().toISOString(),
    what: `Envoy ended${how && ` ${how}`}${after}${often}; the agent starts another`,
    said,
    remedy: `read ${logFile}; to see it fail by itself, run: ${command}`,
  };
}

export function silentTrouble(
  sinceMs: number,
  cause: "stopped" | "busy" | "idle",
  logFile: string,
  patienceMs: number,
): EnvoyTrouble {
  const what = {
    stopped: "Envoy was stopped by a signal",
    busy: "Envoy is busy and does not answer",
    idle: "Envoy hangs: it does not answer and uses no CPU",
  }[cause];
  return {
    since: new Date(sinceMs).toISOString(),
    what: `${what}; after ${patienceMs / 1000} s of silence the agent replaces it`,
    said: "",
    remedy: `nothing, if it happens once; if it happens again, check that the node has enough memory and CPU, and read ${logFile}`,
  };
}

/** The size of a log now. What is written after this point comes from the next process. */
export function logSize(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

const TAIL_BYTES = 64 << 10;
const LINES = 3;
const LINE_LENGTH = 300;

/** The last complaints in a log after byte `from`, else its last lines; "" if it has none. */
export function lastWords(path: string, from: number): string {
  const lines = tail(path, from)
    .split("\n")
    .filter((line) => line.trim() !== "");
  const complaints = lines.filter((line) => /\[(critical|error)\]/u.test(line));
  return (complaints.length > 0 ? complaints : lines)
    .slice(-LINES)
    .map((line) => line.slice(0, LINE_LENGTH))
    .join("\n");
}

function tail(path: string, from: number): string {
  try {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const start = Math.max(Math.min(from, size), size - TAIL_BYTES);
      const buffer = Buffer.alloc(size - start);
      return buffer.toString("utf8", 0, readSync(file, buffer, 0, buffer.length, start));
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}

const WRITTEN_WITHIN_MS = 200;

/** "with exit code 1" or "by SIGSEGV". Envoy's parent, a shell, writes `$?` a moment later; "" if it does not. */
export async function howItEnded(exitFile: string): Promise<string> {
  for (const deadline = Date.now() + WRITTEN_WITHIN_MS; ;) {
    const code = exitCode(exitFile);
    if (code !== undefined) {
      const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
      return signal === undefined ? `with exit code ${code}` : `by ${signal}`;
    }
    if (Date.now() > deadline) return "";
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function exitCode(file: string): number | undefined {
  try {
    const text = readFileSync(file, "utf8").trim();
    return /^\d+$/u.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
