import { describeObject, describePlace, type ObjectRef, type Place } from "./object-ref.ts";

/** A part of the input that Ambit does not serve as it is written. It never stops the good parts from being served. */
export interface Problem {
  /** "error": Ambit does not serve that part at all; "warning": it serves the part, but not in every detail. */
  readonly severity: "error" | "warning";
  /** Stable identifier, for example `unknown-field`. */
  readonly code: string;
  readonly origin: Place;
  /**
   * The object that has the problem; undefined where no object could be read. The readers of objects put in the very
   * `RawObject` that they read, so that two versions of one object can be told apart.
   */
  readonly subject: ObjectRef | undefined;
  /** Path to the field, for example `spec.rules[0].matches[1].path.value`; "" for the whole object. */
  readonly field: string;
  /** One sentence without a full stop. */
  readonly reason: string;
  readonly remedy: string;
}

/** A problem as `/status` answers it and as commands print it. */
export interface PrintedProblem {
  readonly severity: Problem["severity"];
  readonly code: string;
  /** `file:line`, or `file` where the line is not known. */
  readonly origin: string;
  /** `Kind namespace/name`; "" where no object could be read. */
  readonly object: string;
  readonly field: string;
  readonly reason: string;
  readonly remedy: string;
}

export function printProblem({ severity, code, origin, subject, field, reason, remedy }: Problem): PrintedProblem {
  return { severity, code, origin: describePlace(origin), object: describeObject(subject), field, reason, remedy };
}
