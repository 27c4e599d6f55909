/** What every Kubernetes object carries, as far as Ambit reads it. */
export interface ObjectMeta {
  readonly name: string;
  /** "" for cluster-scoped objects. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339; decides between conflicting routes (the older wins), as Gateway API asks. "" where it is not known. */
  readonly creationTimestamp: string;
  /** Where the object came from, for messages: a file, or "kubernetes". */
  readonly origin: string;
}

/** Does it have all of these labels? As `matchLabels` asks: where it wants none, everything does. */
export function carries({ labels }: Pick<ObjectMeta, "labels">, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([label, value]) => labels[label] === value);
}

/** The key by which objects of one kind are told apart: `namespace/name`. */
export type NamespacedName = `${string}/${string}`;

export function namespacedName(namespace: string, name: string): NamespacedName {
  return `${namespace}/${name}`;
}
