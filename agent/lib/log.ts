import { pino, type Logger } from "pino";

export type { Logger };

/**
 * Writes JSON lines to standard error; standard output is for the results of commands. Level: `AMBIT_LOG_LEVEL`, else
 * `info`.
 */
export function createLogger(name: string, level: string = process.env["AMBIT_LOG_LEVEL"] ?? "info"): Logger {
  return pino({ name, level, base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }));
}
