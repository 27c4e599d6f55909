import * as env from "./env";

export enum LogLevelValues {
  trace,
  debug,
  info,
  warn,
  error,
  critical,
}

export function log(level: LogLevelValues, message: string): void {
  const bytes = String.UTF8.encode(message);
  env.proxy_log(level, changetype<usize>(bytes), bytes.byteLength);
}

/** Compile with `--use abort=assembly/log/abort_to_host`: Envoy's log then shows the error before the module traps. */
export function abort_to_host(message: string | null, file: string | null, line: u32, column: u32): void {
  const what = message === null ? "abort" : message;
  const where = file === null ? "" : file;
  log(LogLevelValues.critical, what + " at " + where + ":" + line.toString() + ":" + column.toString());
  unreachable();
}
