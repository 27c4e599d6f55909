import { X509Certificate } from "node:crypto";
import { Backoff } from "../lib/backoff.ts";
import { SYSTEM_CLOCK, type Clock } from "../lib/clock.ts";
import { AmbitError, describe } from "../lib/errors.ts";
import { makeRequest } from "./certificate-request.ts";
import type { CertificateSource } from "./certificate-source.ts";
import { identityStatus, type CertificateStatus } from "./certificate-status.ts";
import type { KnownRoots } from "./known-roots.ts";
import { splitPem } from "./pem.ts";
import type { NodeReport, Trust } from "./protocol.ts";
import { LongPoll } from "./node/long-poll.ts";
import { readWorkloadCertificate, renewalTime, type Entry, type WorkloadCertificate } from "./workload-entry.ts";

/** What a node has now; a new object at each change, and never one without. */
export interface Certificates {
  /** By SPIFFE ID, `spiffe://` included. */
  readonly certificates: ReadonlyMap<string, WorkloadCertificate>;
  /** By what peers are verified; "" until the authority has answered, now or to an agent before this one. */
  readonly rootsPem: string;
}

export interface CertificateStoreOptions {
  /** What an agent before this one has been told. */
  readonly knownRoots?: KnownRoots;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Requests that are under way at the same time, so that a node of many identities does not overrun the authority. */
const AT_ONCE = 8;
/** A timer never waits longer: a machine that slept, or a clock that was set, is noticed. */
const LONGEST_WAIT_MS = 60_000;
/** A new root signs: who has old certificates replaces them within this time, not all in one moment. */
const SPREAD_MS = 5_000;

/**
 * The certificates of a node's identities, each with a key of its own that is in memory only. It fetches what is wanted,
 * renews at half life, and keeps what it has whatever becomes of the authority.
 */
export class CertificateStore {
  readonly #source: CertificateSource;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #watch: LongPoll<Trust>;
  /** What the open question tells of this node. */
  #asked = "";
  readonly #knownRoots: KnownRoots | undefined;
  readonly #listeners = new Set<(certificates: Certificates) => void>();
  readonly #closing = new AbortController();
  #entries: ReadonlyMap<string, Entry> = new Map();
  #current: Certificates;
  #trust: Trust | undefined;
  #underWay = 0;
  #callOff = (): void => undefined;

  constructor(source: CertificateSource, options: CertificateStoreOptions = {}) {
    this.#source = source;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#random = options.random ?? Math.random;
    this.#knownRoots = options.knownRoots;
    this.#current = { certificates: new Map(), rootsPem: this.#knownRoots?.pem ?? "" };
    this.#watch = new LongPoll<Trust>({
      ask: (atOnce, signal) => {
        const report = this.#report();
        this.#asked = JSON.stringify(report);
        return source.watch({ ...report, atOnce }, signal);
      },
      onAnswer: (trust, isBack) => this.#learn(trust, isBack),
      clock: this.#clock,
      random: this.#random,
    });
  }

  /** The identities that this node needs from now on: fetches what is missing, forgets what is not wanted any more. */
  want(ids: readonly string[]): void {
    const now = this.#clock.now();
    const before = this.#entries;
    this.#entries = new Map([...new Set(ids)].toSorted().map((id) => [id, before.get(id) ?? this.#newEntry(id, now)]));
    if ([...before.values()].some(({ id, certificate }) => certificate !== undefined && !this.#entries.has(id))) {
      this.#publish();
    }
    this.#work();
  }

  current(): Certificates {
    return this.#current;
  }

  /** Calls `listener` after each change of `current()`. Returns how to stop that. */
  onChange(listener: (certificates: Certificates) => void): () => void {
    const entry = (certificates: Certificates): void => listener(certificates);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /**
   * Fetches a new certificate with a new key now, for one identity or for all; the old one serves until it is there.
   * Returns which. Throws AmbitError `no-such-identity`.
   */
  rotate(id?: string): readonly string[] {
    const chosen = id === undefined ? [...this.#entries.values()] : [this.#entry(id)];
    for (const entry of chosen) {
      entry.backoff.reset();
      entry.dueAt = this.#clock.now();
    }
    this.#work();
    return chosen.map((entry) => entry.id);
  }

  status(): CertificateStatus {
    const now = this.#clock.now();
    const trouble = this.#watch.trouble;
    return {
      roots: splitPem(this.#current.rootsPem).map((pem) => digest(pem)),
      ...(trouble !== undefined && { authorityTrouble: trouble }),
      identities: [...this.#entries.values()].map((entry) => identityStatus(entry, now)),
    };
  }

  close(): void {
    this.#closing.abort();
    this.#callOff();
    this.#watch.close();
    this.#listeners.clear();
  }

  #newEntry(id: string, now: number): Entry {
    const backoff = new Backoff({ firstMs: 250, longestMs: 30_000, random: this.#random });
    const nothing = { certificate: undefined, generation: "", lastError: undefined };
    return { id, backoff, ...nothing, dueAt: now, asking: false };
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    throw new AmbitError({
      code: "no-such-identity",
      kind: "user",
      what: `no pod in the mesh on this node has the identity ${id}`,
      remedy: `these are here: ${[...this.#entries.keys()].join(", ") || "none"}`,
    });
  }

  /** Asks for all that is due, and sets the timer for what is due next. */
  #work(): void {
    this.#callOff();
    if (this.#closing.signal.aborted) return;
    const now = this.#clock.now();
    let next = now + LONGEST_WAIT_MS;
    for (const entry of this.#entries.values()) {
      if (entry.asking) continue;
      if (entry.dueAt > now) next = Math.min(next, entry.dueAt);
      else if (this.#underWay < AT_ONCE) void this.#fetch(entry);
    }
    this.#callOff = this.#clock.after(next - now, () => this.#work());
  }

  async #fetch(entry: Entry): Promise<void> {
    entry.asking = true;
    this.#underWay++;
    try {
      const { csrPem, keyPem } = await makeRequest(entry.id);
      const answer = await this.#source.sign({ spiffeId: entry.id, csr: csrPem }, this.#closing.signal);
      const certificate = readWorkloadCertificate(entry.id, answer.chain, keyPem);
      entry.certificate = certificate;
      entry.generation = answer.generation;
      entry.lastError = undefined;
      entry.backoff.reset();
      entry.dueAt = renewalTime(certificate, this.#clock.now(), this.#random);
      // Later ones come by the watch alone, so that an older answer never overtakes a newer one.
      this.#trust ??= answer.trust;
      this.#watch.answered();
      if (this.#entries.get(entry.id) === entry) this.#publish();
    } catch (error) {
      entry.lastError = describe(error);
      entry.dueAt = this.#clock.now() + entry.backoff.next();
    } finally {
      entry.asking = false;
      this.#underWay--;
      this.#work();
    }
  }

  #learn(trust: Trust, isBack: boolean): void {
    const before = this.#trust;
    this.#trust = trust;
    const now = this.#clock.now();
    for (const entry of this.#entries.values()) {
      const isOld = entry.certificate !== undefined && entry.generation !== trust.generation;
      const wait = isBack && entry.lastError !== undefined ? 0 : isOld ? this.#random() * SPREAD_MS : Infinity;
      entry.dueAt = Math.min(entry.dueAt, now + wait);
    }
    if (before?.roots !== trust.roots) this.#publish();
    this.#work();
  }

  #report(): NodeReport {
    const inUse = [...this.#entries.values()].filter(({ certificate }) => certificate !== undefined);
    return { trust: this.#trust, generations: [...new Set(inUse.map(({ generation }) => generation))].toSorted() };
  }

  #publish(): void {
    const certificates = new Map(
      [...this.#entries.values()].flatMap(({ id, certificate }) =>
        certificate === undefined ? [] : [[id, certificate] as const],
      ),
    );
    if (this.#trust !== undefined) this.#knownRoots?.remember(this.#trust.roots);
    this.#current = { certificates, rootsPem: this.#trust?.roots ?? this.#current.rootsPem };
    for (const listener of this.#listeners) listener(this.#current);
    // After who uses them: what is reported as in use is in use.
    if (JSON.stringify(this.#report()) !== this.#asked) this.#watch.askAnew();
  }
}

function digest(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}
