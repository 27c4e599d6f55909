import { InvalidArgumentError } from "commander";

/** What joins or leaves the mesh: a namespace, or one pod of it. */
export interface EnrollmentTarget {
  readonly namespace: string;
  /** undefined: the namespace as a whole. */
  readonly pod: string | undefined;
}

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Parses `NAMESPACE` or `NAMESPACE/POD`. */
export function enrollmentTarget(text: string): EnrollmentTarget {
  const parts = text.split("/");
  const [namespace = "", pod] = parts;
  if (parts.length > 2 || !parts.every((part) => NAME.test(part))) {
    throw new InvalidArgumentError("Give NAMESPACE or NAMESPACE/POD.");
  }
  return { namespace, pod };
}

export function describeTarget({ namespace, pod }: EnrollmentTarget): string {
  return pod === undefined ? `namespace ${namespace}` : `pod ${namespace}/${pod}`;
}
