import { OPTED_OUT } from "../../../agent/model/enrollment.ts";
import { DEFAULT_MESH_OPTIONS } from "../../../agent/model/mesh-options.ts";

const { key: LABEL, value: ENROLLED } = DEFAULT_MESH_OPTIONS.enrollmentLabel;

export type Labels = Readonly<Record<string, string>>;

interface Override {
  readonly on: boolean;
  /** The label in the manifests when the override was set. Another label there ends the override. */
  readonly written: string | undefined;
}

/** The labels that `ambit enroll` and `unenroll` have set. Each counts until the object's own label changes. */
export class EnrollmentOverrides {
  /** By `namespace` or `namespace/pod`. */
  readonly #overrides = new Map<string, Override>();

  set(target: string, on: boolean, written: Labels): void {
    this.#overrides.set(target, { on, written: written[LABEL] });
  }

  /** Namespaces with an override. */
  namespaces(): readonly string[] {
    return [...this.#overrides.keys()].filter((target) => !target.includes("/"));
  }

  has(target: string): boolean {
    return this.#overrides.has(target);
  }

  /** Labels of a Namespace (`namespace`) or a Pod (`namespace/pod`) with its override, if it has one. */
  labels(target: string, written: Labels): Labels {
    const override = this.#overrides.get(target);
    if (override === undefined) return written;
    if (override.written !== written[LABEL]) {
      this.#overrides.delete(target);
      return written;
    }
    const others = Object.fromEntries(Object.entries(written).filter(([key]) => key !== LABEL));
    if (override.on) return { ...others, [LABEL]: ENROLLED };
    // A pod needs a label to stay out of an enrolled namespace. A namespace without a label is out.
    return target.includes("/") ? { ...others, [LABEL]: OPTED_OUT } : others;
  }
}
