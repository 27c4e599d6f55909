import { expect } from "vitest";
import type { AdsStream, StreamResponse } from "../../agent/envoy/ads/ads-stream.ts";
import { KINDS, type ResourceKind } from "../../agent/xds/snapshot.ts";
import { request } from "./exchange.ts";

const NEEDS: Partial<Record<ResourceKind, readonly ResourceKind[]>> = {
  clusters: ["endpoints"],
  listeners: ["routes", "extensions"],
};

/**
 * Envoy as far as the protocol goes: asks for what its resources need, and refuses versions that end in "!", and those that end in
 * "?" while something is missing.
 */
export class ModelClient {
  lacking = false;
  readonly holds = new Map<ResourceKind, Map<string, string>>(KINDS.map((kind) => [kind, new Map()]));
  /** Kinds in the order in which their responses came. */
  readonly log: ResourceKind[] = [];
  #stream: AdsStream;
  #unanswered: StreamResponse[] = [];
  #asked = new Set<ResourceKind>();

  constructor(stream: AdsStream) {
    this.#stream = stream;
  }

  /** As after the agent has started anew: the client says what it has. Envoy asks for listeners once it has clusters. */
  connect(stream: AdsStream = this.#stream): void {
    this.#stream = stream;
    this.#unanswered = [];
    this.#asked = new Set();
    for (const kind of KINDS) {
      const initialVersions = Object.fromEntries(this.of(kind));
      const wildcard = kind === "clusters" || kind === "listeners";
      if (
        kind === "clusters" ||
        (wildcard && this.of("clusters").size > 0) ||
        (!wildcard && this.#wanted(kind).length > 0)
      ) {
        this.#ask(kind, wildcard ? [] : this.#wanted(kind), [], initialVersions);
        // The server answers each request as it comes.
        this.collect();
      }
    }
    this.collect();
  }

  of(kind: ResourceKind): Map<string, string> {
    return this.holds.get(kind) ?? new Map<string, string>();
  }

  /** Takes what the server sends, and answers nothing yet. */
  collect(): void {
    for (;;) {
      const responses = this.#stream.next();
      if (responses.length === 0) return;
      for (const response of responses) {
        const twice = this.#unanswered.some(({ kind }) => kind === response.kind);
        expect(twice, `two responses for ${response.kind} are unanswered`).toBe(false);
        this.#unanswered.push(response);
      }
    }
  }

  /** Answers one of the responses that wait, chosen by `pick`; false when there was none. */
  step(pick = 0): boolean {
    const [response] = this.#unanswered.splice(pick % Math.max(1, this.#unanswered.length), 1);
    if (response === undefined) return false;
    this.log.push(response.kind);
    this.#handle(response);
    if (!this.#asked.has("listeners")) this.#ask("listeners", []);
    this.collect();
    return true;
  }

  settle(): void {
    for (let steps = 0; this.step(); steps++) expect(steps, "the exchange does not end").toBeLessThan(2_000);
  }

  #handle({ kind, nonce, resources, removed }: StreamResponse): void {
    const before = new Map(KINDS.map((each) => [each, new Set(this.#wanted(each))]));
    const isBad = (version: string): boolean => version.endsWith("!") || (this.lacking && version.endsWith("?"));
    const bad = resources.filter(({ version }) => isBad(version));
    const eachByItself = kind === "listeners" || kind === "clusters";
    for (const name of removed) this.of(kind).delete(name);
    for (const { name, version } of resources) {
      // Elsewhere the first error ends the delivery: what comes after it is lost.
      if (isBad(version) && !eachByItself) break;
      // What it does not ask for any more it passes over.
      const wanted = eachByItself || before.get(kind)?.has(name) === true;
      if (wanted && !isBad(version)) this.of(kind).set(name, version);
    }
    // Envoy asks for what it needs while it handles a response, that is before it answers it.
    for (const needed of NEEDS[kind] ?? []) {
      const now = new Set(this.#wanted(needed));
      const old = before.get(needed) ?? new Set<string>();
      const subscribe = [...now].filter((name) => !old.has(name));
      const unsubscribe = [...old].filter((name) => !now.has(name));
      for (const name of unsubscribe) this.of(needed).delete(name);
      if (subscribe.length + unsubscribe.length > 0) this.#ask(needed, subscribe, unsubscribe);
    }
    const list = bad.map(({ name }) => `${name}: a reason`).join("\n");
    const message = eachByItself ? `Error adding/updating ${kind.slice(0, -1)}(s) ${list}` : "a reason";
    this.#stream.onRequest(request(kind, { nonce, error: bad.length > 0 ? message : undefined }));
  }

  #ask(
    kind: ResourceKind,
    subscribe: readonly string[],
    unsubscribe: readonly string[] = [],
    initialVersions: Readonly<Record<string, string>> = {},
  ): void {
    this.#asked.add(kind);
    this.#stream.onRequest(request(kind, { subscribe, unsubscribe, initialVersions }));
  }

  #wanted(kind: ResourceKind): string[] {
    const users = KINDS.filter((user) => NEEDS[user]?.includes(kind));
    return users.flatMap((user) => [...this.of(user).keys()]);
  }
}
