import type { Limits } from "../model/limits.ts";
import type { Remark } from "./notes.ts";
import type { RawObject } from "./raw-object.ts";

/** What an object takes beside its spec. */
const OBJECT_BYTES = 100;

/** Adds up what the objects of each namespace use of one limit. Objects have to come in the order in which they count. */
export class Tally {
  readonly #name: keyof Limits;
  readonly #what: string;
  readonly #limit: number;
  readonly #used = new Map<string, number>();

  /** `what`: what is counted, in words. */
  constructor(name: keyof Limits, what: string, limits: Limits) {
    this.#name = name;
    this.#what = what;
    this.#limit = limits[name];
  }

  /** The same for what an object's `spec` says, in bytes of JSON, and for the object itself: very many may say nothing. */
  addSpec(namespace: string, { value }: Pick<RawObject, "value">): Remark | undefined {
    return this.add(namespace, Buffer.byteLength(JSON.stringify(value["spec"] ?? {})) + OBJECT_BYTES);
  }

  /** Counts an object if it fits. Otherwise returns why it does not; a smaller one after it may still fit. */
  add(namespace: string, amount: number): Remark | undefined {
    const used = this.#used.get(namespace) ?? 0;
    if (used + amount <= this.#limit) {
      this.#used.set(namespace, used + amount);
      return undefined;
    }
    return overLimit(this.#name, `it needs ${amount} ${this.#what}`, used, this.#limit, namespace);
  }
}

/** The remark about an object that would take its namespace above a limit. */
export function overLimit(name: keyof Limits, needs: string, used: number, limit: number, namespace: string): Remark {
  return {
    code: "limit-reached",
    reason: `${needs}; older objects of the namespace ${namespace} use ${used}, and the limit for a namespace is ${limit}`,
    remedy: `Make objects of the namespace smaller or remove some, or raise the limit: --limits ${name}=NUMBER of every agent.`,
  };
}
