/** Something in the input that is not served as it was written. It never stops what is good from being served. */
export interface Problem {
  /** "error": it is not served at all; "warning": served, but not in every detail. */
  readonly severity: "error" | "warning";
  /** Stable identifier, for example `unknown-field`. */
  readonly code: string;
  /** Where it was read: a file, or "kubernetes". */
  readonly origin: string;
  /** `Kind namespace/name`; "" where no object could be read. */
  readonly object: string;
  /** Path to the field, for example `spec.rules[0].matches[1].path.value`; "" for the whole object. */
  readonly field: string;
  readonly reason: string;
  readonly remedy: string;
}
