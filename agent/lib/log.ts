import { pino, type Logger } from "pino";

export type { Logger };

/** JSON lines on standard error, so that standard output stays free for what a command prints. Level: `AMBIT_LOG_LEVEL`, else `info`. */
export function createLogger(name: string, level: string = process.env["AMBIT_LOG_LEVEL"] ?? "info"): Logger {
  return pino({ name, level, base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }));
}
