import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const TAIL_BYTES = 4_096;

/** The last lines of a log in one line, for messages; "" where there is no log. */
export function tailOf(file: string, lines: number): string {
  try {
    const handle = openSync(file, "r");
    try {
      const { size } = fstatSync(handle);
      const length = Math.min(size, TAIL_BYTES);
      const buffer = Buffer.alloc(length);
      readSync(handle, buffer, 0, length, size - length);
      const text = buffer
        .toString("utf8")
        .split("\n")
        .map((line) => line.trim());
      // A process that keeps restarting keeps printing the same lines.
      return [...new Set(text.filter(Boolean))].slice(-lines).join(" | ");
    } finally {
      closeSync(handle);
    }
  } catch {
    return "";
  }
}
