import * as env from "./env";
import { OUT } from "./memory";

export enum LogLevelValues {
  trace,
  debug,
  info,
  warn,
  error,
  critical,
}

export function log(level: LogLevelValues, logMessage: string): void {
  const bytes = String.UTF8.encode(logMessage);
  env.proxy_log(level, changetype<usize>(bytes), bytes.byteLength);
}

/** The lowest level that the host writes down. */
export function logLevel(): LogLevelValues {
  env.proxy_get_log_level(OUT + 8);
  return load<u32>(OUT, 8);
}

/** Compile with `--use abort=abort_proc_exit`: what went wrong shows in the host's log before the module traps. */
// @ts-ignore: decorator
@global
export function abort_proc_exit(message: string | null, fileName: string | null, line: u32, column: u32): void {
  const what = message === null ? "" : message;
  const where = fileName === null ? "" : " at " + fileName + ":" + line.toString() + ":" + column.toString();
  log(LogLevelValues.critical, "abort: " + what + where);
  unreachable();
}
