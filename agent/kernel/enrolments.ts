import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  enrolment,
  enrolmentKey,
  type EnrolmentRecord,
  type ListenerKey,
  listenerKey,
  raw,
  u64,
} from "./maps/codecs.ts";
import { ensurePinnedLink } from "./loader/links.ts";
import { BpfMap } from "./loader/maps.ts";
import { netnsCookie } from "./netns.ts";
import { mapOf, type NodePrograms } from "./loader/programs.ts";
import type { CapturedPod } from "../model/capture-state.ts";
import { AmbitError, messageOf } from "../lib/errors.ts";
import { setUpDelivery, undoDelivery } from "./delivery-setup.ts";
import { type LocatedPod, PodMaps } from "./maps/pod-maps.ts";

export interface EnrolmentResult {
  /** UIDs of the pods that are captured now. */
  readonly enrolled: string[];
  /** Pods that could not be: nothing of theirs is captured. */
  readonly failed: { readonly uid: string; readonly error: AmbitError }[];
}

/** UIDs (for a UID of unusual form, its hash). */
export interface KnownPods {
  readonly captured: readonly string[];
  readonly left: readonly string[];
  /** Those among them that have had no certificate so far. */
  readonly waiting: readonly string[];
}

/** Which pods of this node are captured. What is known of each is in the kernel, so that a restarted agent finds it. */
export class Enrolments {
  readonly #programs: NodePrograms;
  readonly #podPins: string;
  readonly #maps: PodMaps;
  readonly #records: BpfMap<string, EnrolmentRecord>;
  readonly #deliveries: BpfMap<Buffer, bigint>;
  readonly #listeners: BpfMap<ListenerKey, bigint>;
  /** Such that join, by name: their records look as those of pods that have left. */
  #joining: ReadonlySet<string> = new Set();

  constructor(programs: NodePrograms, podPins: string) {
    this.#programs = programs;
    this.#podPins = podPins;
    this.#maps = new PodMaps(programs.maps);
    this.#records = new BpfMap(mapOf(programs.maps, "enrolments"), enrolmentKey, enrolment);
    this.#deliveries = new BpfMap(mapOf(programs.maps, "proxy_conns"), raw(48), u64);
    this.#listeners = new BpfMap(mapOf(programs.maps, "listeners"), listenerKey, u64);
  }

  /**
   * Sets pods up for delivery that are not captured yet. To be called before the proxy delivers to them: what it opened
   * before that would be answered elsewhere, and tried again by TCP after a second, when it is not known as a delivery. Never
   * throws for a single pod: `set` tells.
   */
  prepare(pods: readonly CapturedPod[]): void {
    const prepared = pods.flatMap((pod): readonly LocatedPod[] => {
      try {
        const located = { pod, cookie: netnsCookie(pod.netns) };
        const old = this.#records.get(idOf(pod.uid));
        if (old?.captured !== true) this.#prepare(located, { captured: false, waits: old?.waits ?? true });
        return [located];
      } catch {
        return [];
      }
    });
    this.#joining = new Set(prepared.map(({ pod }) => idOf(pod.uid)));
    this.#maps.addAddresses(prepared);
  }

  /** Captures exactly these pods. Connections that are established stay on the path that they are on. */
  set(pods: readonly CapturedPod[]): EnrolmentResult {
    const failed: EnrolmentResult["failed"] = [];
    const attempt = (located: LocatedPod, step: (located: LocatedPod) => void): boolean => {
      try {
        step(located);
        return true;
      } catch (error) {
        failed.push({ uid: located.pod.uid, error: failure(located.pod, error) });
        return false;
      }
    };
    const located = pods.map((pod): { pod: CapturedPod; cookie: bigint } => ({ pod, cookie: 0n }));
    const found = located.filter((each) => attempt(each, () => (each.cookie = netnsCookie(each.pod.netns))));
    const wanted = found.filter((each) =>
      attempt(each, () => this.#prepare(each, { captured: true, waits: each.pod.waits })),
    );
    this.#releaseAllBut(new Map(wanted.map(({ pod, cookie }) => [idOf(pod.uid), cookie])));
    this.#maps.setAddresses(wanted, this.#leaving());
    const captured = wanted.filter((each) => attempt(each, () => this.#captureInbound(each.pod)));
    if (captured.length < wanted.length) {
      this.#releaseAllBut(new Map(captured.map(({ pod, cookie }) => [idOf(pod.uid), cookie])));
      this.#maps.setAddresses(captured, this.#leaving());
    }
    this.#maps.setOutbound(captured.filter(({ pod }) => !pod.waits));
    this.#joining = new Set();
    this.sweep();
    return { enrolled: captured.map(({ pod }) => pod.uid), failed };
  }

  /**
   * Undoes what was set up for delivery in pods that have left, once the proxy has no listener and no delivery there. To be
   * called from time to time. Returns how many pods it still has to wait for.
   */
  sweep(): number {
    const left = [...this.#records.entries()].filter(([id, record]) => !record.captured && !this.#joining.has(id));
    if (left.length === 0) return 0;
    const delivering = new Set([...this.#deliveries.entries()].map(([, cookie]) => cookie));
    const waiting = left.filter(([, { cookie }]) => delivering.has(cookie) || this.#hasAnyListener(cookie));
    for (const [id, record] of left) {
      if (waiting.some(([other]) => other === id)) continue;
      undo(record);
      this.#records.delete(id);
    }
    return waiting.length;
  }

  /** Pods that are captured, and those that have left and are not tidied up yet, as an earlier agent may have left them. */
  known(): KnownPods {
    const records = [...this.#records.entries()];
    const ids = (holds: (record: EnrolmentRecord) => boolean): readonly string[] =>
      records.filter(([, record]) => holds(record)).map(([id]) => id);
    return {
      captured: ids(({ captured }) => captured),
      left: ids(({ captured }) => !captured),
      waiting: ids(({ waits }) => waits),
    };
  }

  hasListener(listener: ListenerKey): boolean {
    return this.#listeners.get(listener) !== undefined;
  }

  /** Undoes everything at once, whether or not deliveries are open. */
  releaseAll(): void {
    this.#releaseAllBut(new Map());
    for (const [id, record] of this.#records.entries()) {
      undo(record);
      this.#records.delete(id);
    }
  }

  #hasAnyListener(netns: bigint): boolean {
    const each = ([4, 6] as const).flatMap((family) => [false, true].map((brief) => ({ netns, family, brief })));
    return each.some((listener) => this.hasListener(listener));
  }

  #prepare({ pod, cookie }: LocatedPod, state: Pick<EnrolmentRecord, "captured" | "waits">): void {
    const id = idOf(pod.uid);
    const old = this.#records.get(id);
    const before = old?.cookie === cookie ? old.undo : 0;
    this.#records.set(id, { netns: pod.netns, cookie, undo: setUpDelivery(pod.netns, before), ...state });
  }

  #captureInbound(pod: CapturedPod): void {
    const path = join(this.#podPins, idOf(pod.uid));
    ensurePinnedLink(path, () => this.#programs.inbound, { netns: pod.netns }, false);
  }

  /** The programs let go before their maps forget the pod: an address that they do not know is dropped. */
  #releaseAllBut(kept: ReadonlyMap<string, bigint>): void {
    for (const [id, record] of this.#records.entries()) {
      if (!record.captured || kept.has(id)) continue;
      this.#maps.stopOutbound(record.cookie);
      rmSync(join(this.#podPins, id), { force: true });
      this.#records.set(id, { ...record, captured: false });
    }
  }

  #leaving(): ReadonlySet<bigint> {
    return new Set(
      [...this.#records.entries()].filter(([, { captured }]) => !captured).map(([, { cookie }]) => cookie),
    );
  }
}

/** The pod's name among the pins and in the map: its UID, unless that does not fit. */
function idOf(uid: string): string {
  return /^[A-Za-z0-9_-]{1,63}$/.test(uid) ? uid : createHash("sha256").update(uid).digest("hex").slice(0, 40);
}

function undo(record: EnrolmentRecord): void {
  try {
    // Another network namespace may have taken the path.
    if (netnsCookie(record.netns) === record.cookie) undoDelivery(record.netns, record.undo);
  } catch (error) {
    if (!(error instanceof AmbitError && error.code === "netns-unavailable")) throw error;
  }
}

function failure(pod: CapturedPod, error: unknown): AmbitError {
  if (error instanceof AmbitError) return error;
  return new AmbitError({
    code: "pod-not-captured",
    kind: "system",
    what: `the traffic of the pod with UID ${pod.uid} cannot be captured`,
    why: messageOf(error),
    remedy: "the pod's traffic passes unchanged; run 'ambit check' on its node",
    cause: error,
  });
}
