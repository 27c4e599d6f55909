import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { constants } from "node:os";

const TAIL_BYTES = 64 << 10;
const LINES = 3;
const LINE_LENGTH = 300;

/** Bytes of a log at this moment; what comes after them is of whoever starts now. */
export function logSize(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

/** The last complaints in a log after `from`, else its last lines; "" where there are none. */
export function lastWords(path: string, from: number): string {
  let text: string;
  try {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const start = Math.max(Math.min(from, size), size - TAIL_BYTES);
      const buffer = Buffer.alloc(size - start);
      text = buffer.toString("utf8", 0, readSync(file, buffer, 0, buffer.length, start));
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const complaints = lines.filter((line) => /\[(critical|error)\]/u.test(line));
  return (complaints.length > 0 ? complaints : lines)
    .slice(-LINES)
    .map((line) => line.slice(0, LINE_LENGTH))
    .join("\n");
}

const WRITTEN_WITHIN_MS = 200;

/** "with exit code 1", "by SIGSEGV", as its parent, a shell, writes `$?` down a moment later; "" where it does not. */
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
