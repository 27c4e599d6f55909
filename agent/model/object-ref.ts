/** Names one Kubernetes object, as far as the input says which one it is. */
export interface ObjectRef {
  /** "" for the core group. */
  readonly group: string;
  /** "" where the input does not say it. */
  readonly version: string;
  readonly kind: string;
  /** "" for cluster-scoped kinds. */
  readonly namespace: string;
  /** "" where the input gives no name. */
  readonly name: string;
  /** The API server's UID; undefined where no API server gave one. */
  readonly uid?: string | undefined;
}

/** Where the agent read something. */
export interface Place {
  /** A file's path, or "kubernetes". */
  readonly file: string;
  /** From 1; undefined where lines make no sense or are not known. */
  readonly line?: number | undefined;
}

/** How messages name an object: `Kind namespace/name`; "" where no object could be read. */
export function describeObject(object: ObjectRef | undefined): string {
  if (object === undefined) return "";
  const { kind, namespace, name } = object;
  if (name === "") return kind;
  return `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** `file:line`, or `file` where the line is not known. */
export function describePlace({ file, line }: Place): string {
  return line === undefined ? file : `${file}:${line}`;
}
