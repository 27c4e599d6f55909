import { X509Certificate } from "node:crypto";
import { Backoff } from "../../lib/backoff.ts";
import { SYSTEM_CLOCK, type Clock } from "../../lib/clock.ts";
import { AmbitError, describe } from "../../lib/errors.ts";
import { makeRequest } from "../x509/certificate-request.ts";
import { identityStatus, type CertificateStatus } from "./certificate-status.ts";
import type { KnownRoots } from "./known-roots.ts";
import { splitPem } from "../x509/pem.ts";
import type { NodeReport, SignAnswer, SignRequest, Trust } from "../authority-protocol.ts";
import { LongPoll } from "./long-poll.ts";
import { readCertificate, renewalTime, type WantedIdentity, type HeldCertificate } from "./wanted-identity.ts";

/** Where a node's certificates come from: the authority, through `AuthorityClient`. Both requests reject with the reason. */
export interface CertificateSource {
  sign(request: SignRequest, signal: AbortSignal): Promise<SignAnswer>;
  /** Resolves when `report` is out of date, or after a while; at once if it asks for that. */
  watch(report: NodeReport, signal: AbortSignal): Promise<Trust>;
}

/** The certificates of a node. The object is a new one exactly when they change. */
export interface Certificates {
  /** By SPIFFE ID, `spiffe://` included. */
  readonly certificates: ReadonlyMap<string, HeldCertificate>;
  /** The roots by which peers are verified; "" until the authority has answered this agent or one before it. */
  readonly rootsPem: string;
}

export interface CertificateStoreOptions {
  /** The roots that the authority told an agent before this one. */
  readonly knownRoots?: KnownRoots;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Requests under way at the same time: a node with many identities must not overrun the authority. */
const AT_ONCE = 8;
/** A timer never waits longer, so that the store notices when the machine slept or its clock was set. */
const LONGEST_WAIT_MS = 60_000;
/** When a new root signs, nodes replace their certificates within this time, and not all in one moment. */
const SPREAD_MS = 5_000;

/**
 * The certificates of a node's identities, each with a key of its own that is in memory only. The store fetches what is
 * missing, renews at half life, and keeps its certificates while the authority is away.
 */
export class CertificateStore {
  readonly #source: CertificateSource;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #watch: LongPoll<Trust>;
  /** The report in the question that is open at the authority, as JSON. */
  #asked = "";
  readonly #knownRoots: KnownRoots | undefined;
  readonly #listeners = new Set<(certificates: Certificates) => void>();
  readonly #closing = new AbortController();
  #entries: ReadonlyMap<string, WantedIdentity> = new Map();
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

  /** Sets the identities that this node needs: fetches missing certificates, and forgets those of other identities. */
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
   * Fetches a new certificate with a new key now, for one identity or for all; the old one serves until then. Returns the
   * identities. Throws AmbitError `no-such-identity`.
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

  #newEntry(id: string, now: number): WantedIdentity {
    const backoff = new Backoff({ firstMs: 250, longestMs: 30_000, random: this.#random });
    const nothing = { certificate: undefined, generation: "", lastError: undefined };
    return { id, backoff, ...nothing, dueAt: now, asking: false };
  }

  #entry(id: string): WantedIdentity {
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    throw new AmbitError({
      code: "no-such-identity",
      kind: "user",
      what: `no pod in the mesh on this node has the identity ${id}`,
      remedy: `give one of the identities that are here: ${[...this.#entries.keys()].join(", ") || "none"}`,
    });
  }

  /** Fetches what is due, and sets the timer for what is due next. */
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

  async #fetch(entry: WantedIdentity): Promise<void> {
    entry.asking = true;
    this.#underWay++;
    try {
      const { csrPem, keyPem } = await makeRequest(entry.id);
      const answer = await this.#source.sign({ spiffeId: entry.id, csr: csrPem }, this.#closing.signal);
      const certificate = readCertificate(entry.id, answer.chain, keyPem);
      entry.certificate = certificate;
      entry.generation = answer.generation;
      entry.lastError = undefined;
      entry.backoff.reset();
      entry.dueAt = renewalTime(certificate, this.#clock.now(), this.#random);
      // Later roots come by the watch alone, so that an older answer never overtakes a newer one.
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
    // After the listeners: the report names only certificates that the proxy has been given.
    if (JSON.stringify(this.#report()) !== this.#asked) this.#watch.askAnew();
  }
}

function digest(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}
