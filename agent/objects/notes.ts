import type { Problem } from "../model/problem.ts";
import { placeOf, type FieldPath, type RawObject } from "./raw-object.ts";

/** An object with more errors or more warnings than this has the others counted and not named: an object may have a million fields. */
const MAX_NAMED = 100;

const PLAIN_FIELD = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** `spec.rules[0]`, `metadata.labels["app.kubernetes.io/name"]`. */
export function fieldText(path: FieldPath): string {
  let text = "";
  for (const segment of path) {
    if (typeof segment === "number") text += `[${segment}]`;
    else if (!PLAIN_FIELD.test(segment)) text += `[${JSON.stringify(segment)}]`;
    else text += text === "" ? segment : `.${segment}`;
  }
  return text;
}

/** A finding about a field. */
export interface Remark {
  readonly code: string;
  /** One sentence without a full stop. */
  readonly reason: string;
  readonly remedy: string;
}

/** Collects the problems of one object, and tells its reader whether a part of it has errors. */
export class Notes {
  private readonly object: RawObject;
  private readonly problems: Problem[];
  private readonly count = { error: 0, warning: 0 };
  private readonly meant = new Set<string>();

  constructor(object: RawObject, problems: Problem[]) {
    this.object = object;
    this.problems = problems;
  }

  get errors(): number {
    return this.count.error;
  }

  add(severity: Problem["severity"], path: FieldPath, remark: Remark): void {
    const count = ++this.count[severity];
    if (count > MAX_NAMED + 1) return;
    if (count > MAX_NAMED) return this.addMore(severity);
    const { code, reason, remedy } = remark;
    const origin = placeOf(this.object.origin, path);
    this.problems.push({ severity, code, origin, subject: this.object, field: fieldText(path), reason, remedy });
  }

  private addMore(severity: Problem["severity"]): void {
    const remark = {
      code: "more-problems",
      reason: `the object has more than ${MAX_NAMED} ${severity}s, and only the first ones are named`,
      remedy: "Correct those that are named first.",
    };
    this.problems.push({ severity, origin: placeOf(this.object.origin), subject: this.object, field: "", ...remark });
  }

  /** Notes that the object has this field under a misspelt name, which is already reported. */
  misspelt(path: FieldPath): void {
    this.meant.add(fieldText(path));
  }

  isMisspelt(path: FieldPath): boolean {
    return this.meant.has(fieldText(path));
  }

  /** The result of `read`; undefined if `read` reports an error. */
  unlessErrors<T>(read: () => T): T | undefined {
    const before = this.errors;
    const value = read();
    return this.errors === before ? value : undefined;
  }
}
