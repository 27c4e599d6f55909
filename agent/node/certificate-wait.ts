import type { WaitingPod } from "./states-adapter.ts";
import { SYSTEM_CLOCK, type Clock } from "../lib/clock.ts";

export interface CertificateWaitOptions {
  /** UIDs of pods that an agent before this one has captured, with a certificate, and without. */
  readonly certified: readonly string[];
  readonly waiting: readonly string[];
  /** A STRICT pod that has waited for so long takes no plaintext. */
  readonly closeAfterMs: number;
  /** Something of what this tells has changed. */
  readonly onChange: () => void;
  readonly clock?: Clock;
}

/** As long as for other nodes to follow who joins: `CaptureHandshake` has the same patience. */
export const CLOSE_AFTER_MS = 5_000;
/**
 * A certificate is there in some milliseconds, as a rule, and whoever joins with it joins in one step. Nobody else can be
 * captured much sooner either: it takes about as long for a listener to stand.
 */
const MOMENT_MS = 200;
/**
 * The same where the proxy has started anew, and lost what an agent before this one had given to it. Until then it has no
 * listeners for those pods, and nothing reaches them; to take them for waiting ones would be news for all nodes.
 */
const PROXY_MOMENT_MS = 2_000;

/** How long the pods of this node have waited for their certificates, and what that means. In memory only. */
export class CertificateWait {
  readonly #options: CertificateWaitOptions;
  readonly #clock: Clock;
  readonly #since: Map<string, number>;
  readonly #certified: Set<string>;
  #callOff = (): void => undefined;
  #callOffProxy = (): void => undefined;

  constructor(options: CertificateWaitOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#certified = new Set(options.certified);
    this.#since = new Map(options.waiting.map((uid) => [uid, LONG_AGO]));
  }

  /** Whose certificate the proxy has, though this agent may have been given none. */
  get certified(): ReadonlySet<string> {
    return this.#certified;
  }

  /** Who has waited for more than a moment: what comes to it is captured meanwhile. */
  get guarded(): ReadonlySet<string> {
    return this.#waitedFor(MOMENT_MS);
  }

  /** Who has waited so long that it does not take plaintext where it is STRICT, nor later, while nodes learn that it has joined. */
  get closed(): ReadonlySet<string> {
    return this.#waitedFor(this.#options.closeAfterMs);
  }

  /** To be told after each change: who is in the mesh on this node, by UID, and who of them has no certificate. */
  follow(enrolled: ReadonlySet<string>, waiting: readonly WaitingPod[]): void {
    const { closed } = this;
    const now = new Set(waiting.map(({ uid }) => uid));
    for (const uid of this.#since.keys()) {
      if (!enrolled.has(uid) || (!now.has(uid) && !closed.has(uid))) this.#since.delete(uid);
    }
    for (const uid of now) if (!this.#since.has(uid)) this.#since.set(uid, this.#clock.now());
    this.#setTimer();
  }

  /** A new proxy has none of the certificates that the one before had. */
  proxyStarts(): void {
    this.#callOffProxy();
    if (this.#certified.size === 0) return;
    this.#callOffProxy = this.#clock.after(PROXY_MOMENT_MS, () => {
      for (const uid of this.#certified) this.#since.set(uid, LONG_AGO);
      this.#certified.clear();
      this.#options.onChange();
    });
  }

  close(): void {
    this.#callOff();
    this.#callOffProxy();
  }

  #waitedFor(ms: number): ReadonlySet<string> {
    const latest = this.#clock.now() - ms;
    return new Set([...this.#since].flatMap(([uid, since]) => (since <= latest ? [uid] : [])));
  }

  /** Calls back when the next of them has waited for long enough. */
  #setTimer(): void {
    this.#callOff();
    const now = this.#clock.now();
    const ahead = [...this.#since.values()]
      .flatMap((since) => [since + MOMENT_MS, since + this.#options.closeAfterMs])
      .filter((at) => at > now);
    if (ahead.length > 0) this.#callOff = this.#clock.after(Math.min(...ahead) - now, this.#options.onChange);
  }
}

const LONG_AGO = -Infinity;
