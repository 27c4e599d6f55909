import type { Reader } from "../../../agent/objects/reader.ts";

/** Warns of each field that has no effect in the lab. `supported`: fields that have one, and fields that need none here. */
export function warnOfUnsupported(object: Reader, supported: readonly string[]): void {
  for (const [name, field] of object.entries()) {
    if (supported.includes(name) || isEmpty(field.raw)) continue;
    field.warning({
      code: "lab-unsupported-field",
      reason: REASONS[name] ?? "the lab does not do this; a cluster would",
      remedy: "Remove it, or bear in mind that it has no effect here.",
    });
  }
}

/** A field that is written but asks for nothing. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

const REASONS: Readonly<Record<string, string>> = {
  image: "no image is pulled: the container's command runs with the files of this machine",
  hostNetwork: "the lab gives every pod a network of its own",
};
