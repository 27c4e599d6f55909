import { InvalidArgumentError, Option } from "commander";

export type OutputFormat = "text" | "json";

/** The option `-o`: JSON for scripts, text for people. */
export function outputOption(): Option {
  return new Option("-o, --output <format>", "how to print the result").choices(["text", "json"]).default("text");
}

/** Prints a result on standard output: as JSON, or as the text that `toText` makes of it. */
export function print<T>(result: T, format: OutputFormat, toText: (result: T) => string): void {
  const text =
    format === "json" ? JSON.stringify(result, undefined, 2) : toText(result).split("\n").map(printable).join("\n");
  process.stdout.write(text.endsWith("\n") || text === "" ? text : `${text}\n`);
}

/**
 * Texts from objects, files and containers may contain control characters, which a terminal would obey, and line ends, which
 * would make lines of their own.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, "\u{fffd}");
}

/** Aligns columns with spaces. The first row is the header. Cells must not contain colour codes. */
export function table(texts: readonly (readonly string[])[]): string {
  const rows = texts.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}

/** Parses an option that is a number of seconds. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("Give a number of seconds above 0.");
  return value;
}
