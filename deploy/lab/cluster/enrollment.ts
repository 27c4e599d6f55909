import { DEFAULT_MESH_OPTIONS } from "../../../agent/model/mesh-options.ts";

const { key: LABEL, value: ENROLLED } = DEFAULT_MESH_OPTIONS.enrollmentLabel;
const OPTED_OUT = "none";

export type Labels = Readonly<Record<string, string>>;

interface Override {
  readonly on: boolean;
  /** The label as the manifests had it: once they say something else, the override has had its day. */
  readonly written: string | undefined;
}

/** What `ambit enroll` and `unenroll` have said: it counts until the object's own label changes. */
export class Enrollment {
  /** By `namespace` or `namespace/pod`. */
  readonly #overrides = new Map<string, Override>();

  set(target: string, on: boolean, written: Labels): void {
    this.#overrides.set(target, { on, written: written[LABEL] });
  }

  /** Namespaces for which something was said. */
  namespaces(): readonly string[] {
    return [...this.#overrides.keys()].filter((target) => !target.includes("/"));
  }

  has(target: string): boolean {
    return this.#overrides.has(target);
  }

  /** Labels of a Namespace (`namespace`) or a Pod (`namespace/pod`) as they count. */
  labels(target: string, written: Labels): Labels {
    const override = this.#overrides.get(target);
    if (override === undefined) return written;
    if (override.written !== written[LABEL]) {
      this.#overrides.delete(target);
      return written;
    }
    const others = Object.fromEntries(Object.entries(written).filter(([key]) => key !== LABEL));
    if (override.on) return { ...others, [LABEL]: ENROLLED };
    // A pod of an enrolled namespace has to say that it stays out; a namespace that says nothing is out.
    return target.includes("/") ? { ...others, [LABEL]: OPTED_OUT } : others;
  }
}

/** By the labels of a pod and of its namespace: should its traffic pass the mesh? */
export function isEnrolled(pod: Labels, namespace: Labels): boolean {
  if (pod[LABEL] === OPTED_OUT) return false;
  return pod[LABEL] === ENROLLED || namespace[LABEL] === ENROLLED;
}
