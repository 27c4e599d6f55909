import { compareText } from "../lib/compare.ts";
import type { ObjectRef, Place } from "./object-ref.ts";

/** The metadata of a Kubernetes object, as far as Ambit reads it. */
export interface ObjectMeta extends ObjectRef {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339; decides between conflicting routes (the older wins), as Gateway API asks. "" where it is not known. */
  readonly creationTimestamp: string;
  readonly origin: Place;
}

/** Does an object have all of these labels, as `matchLabels` asks? No labels select every object. */
export function carries({ labels }: Pick<ObjectMeta, "labels">, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([label, value]) => labels[label] === value);
}

/** The key by which objects of one kind are told apart: `namespace/name`. */
export type NamespacedName = `${string}/${string}`;

export function namespacedName(namespace: string, name: string): NamespacedName {
  return `${namespace}/${name}`;
}

type Named = Pick<ObjectMeta, "namespace" | "name">;

/** Orders by the text `namespace/name`, as Gateway API does. */
export function compareNames(a: Named, b: Named): number {
  return a.namespace === b.namespace ? compareText(a.name, b.name) : compareText(`${a.namespace}/`, `${b.namespace}/`);
}

/** The oldest first, then by name. An unknown age is the oldest: such an object was there when the agent started. */
export function compareAge(a: Named & Pick<ObjectMeta, "creationTimestamp">, b: typeof a): number {
  return compareText(a.creationTimestamp, b.creationTimestamp) || compareNames(a, b);
}
