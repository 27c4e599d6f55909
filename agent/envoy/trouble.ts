/** What is wrong with the proxy at this moment. */
export interface Trouble {
  /** RFC 3339. */
  readonly since: string;
  readonly what: string;
  /** Its last words; "" where it had none. */
  readonly said: string;
  readonly remedy: string;
}

/** How it came to be one of several, so that what is said fits. */
export interface Ending {
  readonly how: string;
  /** undefined where somebody else started it. */
  readonly livedMs: number | undefined;
  /** How many in a row have ended soon after their start, this one included. */
  readonly inARow: number;
  readonly said: string;
}

export function endedTrouble({ how, livedMs, inARow, said }: Ending, logFile: string, command: string): Trouble {
  const after = livedMs !== undefined && livedMs < 2_000 ? " right after its start" : "";
  const often = inARow > 1 ? `, ${inARow} times in a row` : "";
  return {
    since: new Date().toISOString(),
    what: `Envoy ended${how && ` ${how}`}${after}${often}; another is started`,
    said,
    remedy: `read ${logFile}; to see it fail by itself, run: ${command}`,
  };
}

export function silentTrouble(
  sinceMs: number,
  cause: "stopped" | "busy" | "idle",
  logFile: string,
  patienceMs: number,
): Trouble {
  const what = {
    stopped: "Envoy was stopped by a signal",
    busy: "Envoy works without end and does not answer",
    idle: "Envoy hangs: it does not answer, and does nothing",
  }[cause];
  return {
    since: new Date(sinceMs).toISOString(),
    what: `${what}; after ${patienceMs / 1000} s of silence it is replaced`,
    said: "",
    remedy: `nothing, if it happens once; if it comes again, look for want of memory or CPU, and read ${logFile}`,
  };
}
