/** `user`: the author of the input can mend it. `system`: the operator of the machine can. */
export type ErrorKind = "user" | "system";

/** What people need to know about a failure, in this order. */
export interface ErrorAdvice {
  /** Stable identifier for scripts, for example `envoy-not-found`. */
  readonly code: string;
  readonly kind: ErrorKind;
  /** What happened, in one sentence without a full stop. */
  readonly what: string;
  /** The cause, if it is known. */
  readonly why?: string | undefined;
  /** What to do about it. */
  readonly remedy?: string | undefined;
  readonly cause?: unknown;
}

/** The one error class of Ambit: every failure that reaches a person says what, why and what to do. */
export class AmbitError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly why: string | undefined;
  readonly remedy: string | undefined;

  constructor(advice: ErrorAdvice) {
    super(advice.what, { cause: advice.cause });
    this.name = "AmbitError";
    this.code = advice.code;
    this.kind = advice.kind;
    this.why = advice.why;
    this.remedy = advice.remedy;
  }
}

/** The message of a thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `errno` name (`ENOENT`, `EEXIST`, …) of a failed system call; undefined for any other thrown value. */
export function errnoOf(thrown: unknown): string | undefined {
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") return thrown.code;
  return undefined;
}

/** A failure as the CLI prints it: what, why and what to do, one line each. */
export function describe(thrown: unknown): string {
  if (!(thrown instanceof AmbitError)) return messageOf(thrown);
  const cause = thrown.cause === undefined ? undefined : messageOf(thrown.cause);
  const why = [thrown.why, cause].filter((part) => part !== undefined && part !== "").join(": ");
  return [thrown.message, why && `  why: ${why}`, thrown.remedy && `  what to do: ${thrown.remedy}`]
    .filter((line) => line)
    .join("\n");
}
