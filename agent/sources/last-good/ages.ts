import { objectKey, type RawObject } from "../../objects/raw-object.ts";

/** Kinds for which the older of two conflicting objects counts. */
const BY_AGE = new Set(["Service", "HTTPRoute", "XBackendTrafficPolicy"]);

/** Since when objects are there, by `objectKey`; "": since the first reading of the first process. */
export type KnownAges = ReadonlyMap<string, string>;

/** The form that the API server writes: its text order is the order in time. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/u;

/**
 * Gives a creationTimestamp to objects that appear later, as an API server would: of two conflicting objects the one
 * counts that was there before. Objects of the first reading get none, and count as older; a later process knows
 * what the one before knew. Nobody is older by saying so.
 */
export class Ages {
  #seen: KnownAges | undefined;
  readonly #stamped = new WeakMap<RawObject, RawObject>();

  /** `known`: what the process before knew. */
  constructor(known?: KnownAges) {
    this.#seen = known;
  }

  get known(): KnownAges {
    return this.#seen ?? new Map();
  }

  /** `kept`: objects that may come back, and keep their age. */
  stamp(objects: readonly RawObject[], time: string, kept: ReadonlyMap<string, unknown>): readonly RawObject[] {
    const before = this.#seen;
    const seen = new Map([...(before ?? [])].filter(([key]) => kept.has(key)));
    const stamped = objects.map((object) => {
      if (!BY_AGE.has(object.kind)) return object;
      const key = objectKey(object);
      const since = before === undefined ? "" : (before.get(key) ?? time);
      seen.set(key, since);
      return since === "" ? object : this.#withAge(object, since);
    });
    this.#seen = seen;
    return stamped;
  }

  #withAge(object: RawObject, creationTimestamp: string): RawObject {
    const known = this.#stamped.get(object);
    if (known !== undefined) return known;
    const { metadata } = object.value;
    if (typeof metadata !== "object" || metadata === null) return object;
    const written: unknown = "creationTimestamp" in metadata ? metadata.creationTimestamp : undefined;
    if (typeof written === "string" && TIME.test(written) && written >= creationTimestamp) return object;
    const stamped = { ...object, value: { ...object.value, metadata: { ...metadata, creationTimestamp } } };
    this.#stamped.set(object, stamped);
    return stamped;
  }
}
