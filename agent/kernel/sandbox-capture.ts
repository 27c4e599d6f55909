import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, messageOf } from "../lib/errors.ts";
import type { IpFamily } from "../lib/ip-address.ts";
import type { KernelPod, KnownSandbox } from "../model/kernel-pod.ts";
import type { PodEffects } from "../model/pod-state.ts";
import type { Sandbox } from "../model/sandbox.ts";
import { setUpDelivery, undoDelivery } from "./delivery-setup.ts";
import { ensurePinnedLink } from "./loader/pinned-links.ts";
import { BpfMap, raw, u32, u64 } from "./loader/bpf-map.ts";
import { mapOf } from "./loader/object.ts";
import { InboundListeners } from "./maps/inbound-listeners.ts";
import { takeOverOldEnrolments } from "./maps/old-enrolments.ts";
import { OutboundPods } from "./maps/outbound-pods.ts";
import { PodAddressMaps } from "./maps/pod-addresses.ts";
import { type SandboxRecord, SandboxRecords } from "./maps/sandbox-records.ts";
import { netnsCookie } from "./enter-netns.ts";
import type { NodePrograms, Pins } from "./programs.ts";

/**
 * Captures the connections of this node's sandboxes, one sandbox at a time. The kernel keeps a record of each, for the next
 * agent. A call for one sandbox never touches an entry of another.
 */
export class SandboxCapture {
  readonly #programs: NodePrograms;
  /** Folder of the pins: one link for each sandbox whose inbound connections are captured, by its cookie. */
  readonly #podPins: string;
  readonly #records: SandboxRecords;
  readonly #addresses: PodAddressMaps;
  readonly #outbound: OutboundPods;
  /** What becomes of connections where the inbound listener is missing; without an entry they are refused. */
  readonly #withoutListener: BpfMap<bigint, number>;
  readonly #deliveries: BpfMap<Buffer, bigint>;
  readonly #listeners: InboundListeners;

  constructor(programs: NodePrograms, pins: Pins) {
    const { maps } = programs;
    this.#programs = programs;
    this.#podPins = pins.pods;
    this.#records = new SandboxRecords(mapOf(maps, "sandboxes"));
    takeOverOldEnrolments(pins, this.#records);
    this.#addresses = new PodAddressMaps(
      mapOf(maps, "pod_addresses"),
      mapOf(maps, "probe_ports"),
      this.#records.entries().map(([cookie]) => cookie),
    );
    this.#outbound = new OutboundPods(mapOf(maps, "pods"));
    this.#withoutListener = new BpfMap(mapOf(maps, "silent_pods"), u64, u32);
    this.#deliveries = new BpfMap(mapOf(maps, "proxy_conns"), raw(48), u64);
    this.#listeners = new InboundListeners(mapOf(maps, "worker_listeners"), mapOf(maps, "listener_slots"));
  }

  /** See `Capture.setPod`. */
  setPod(wanted: KernelPod): void {
    const { sandbox } = wanted;
    const cookie = BigInt(sandbox.cookie);
    try {
      this.#putIntoEffect(cookie, wanted);
      this.#forgetOthersOf(sandbox);
    } catch (error) {
      const isClosed = this.#close(cookie, wanted);
      throw notCaptured(sandbox, error, isClosed);
    }
  }

  /** See `Capture.captures`. */
  captures({ cookie }: Pick<Sandbox, "cookie">): boolean {
    return existsSync(this.#pinOf(BigInt(cookie)));
  }

  /** See `Capture.forget`. */
  forget({ cookie }: Pick<Sandbox, "cookie">): void {
    this.#forget(BigInt(cookie));
  }

  /** See `Capture.known`. */
  known(): readonly KnownSandbox[] {
    return this.#records.entries().map(([cookie, { uid, netns, phase }]) => ({
      sandbox: { uid, netns, cookie: String(cookie) },
      phase,
      inbound: existsSync(this.#pinOf(cookie)) ? "captured" : "open",
    }));
  }

  hasInboundListener(cookie: bigint, family: IpFamily): boolean {
    return this.#listeners.has(cookie, family);
  }

  /** Forgets each sandbox that has left once the proxy has no listener and no delivery in it. Returns how many remain. */
  sweep(): number {
    const left = this.#records.entries().filter(([, { phase }]) => phase === "left" || phase === "outside");
    if (left.length === 0) return 0;
    const delivering = new Set([...this.#deliveries.entries()].map(([, cookie]) => cookie));
    const over = left.filter(([cookie]) => !delivering.has(cookie) && !this.#listeners.hasAny(cookie));
    for (const [cookie] of over) this.#forget(cookie);
    return left.length - over.length;
  }

  /** Forgets all sandboxes at once, also those with open deliveries. */
  forgetAll(): void {
    for (const [cookie] of this.#records.entries()) this.#forget(cookie);
  }

  /**
   * Stops capture before anything else, outbound before inbound. Capture of inbound connections starts before any entry that
   * could fail: a connection that finds no entry is refused.
   */
  #putIntoEffect(cookie: bigint, { sandbox, addresses, probePorts, phase, effects }: KernelPod): void {
    const { uid, netns } = sandbox;
    const isInboundCaptured = effects.inbound === "captured";
    if (effects.outbound === "open") this.#outbound.delete(cookie);
    if (isInboundCaptured) this.#attach(cookie, netns);
    else this.#detach(cookie);
    const withoutListener = isInboundCaptured ? WITHOUT_LISTENER[effects.missing] : undefined;
    if (withoutListener === undefined) this.#withoutListener.delete(cookie);
    else this.#withoutListener.set(cookie, withoutListener);
    const old = this.#records.get(cookie);
    if (effects.delivery || isInboundCaptured) {
      checkCookie(cookie, netns);
      // The kubelet's probes pass from here on, whatever fails below. They are declared before capture begins, too.
      try {
        this.#addresses.set(cookie, addresses);
      } finally {
        this.#addresses.setProbePorts(cookie, probePorts);
      }
      // The proxy is told of deliveries later: the answer to one that came before this would leave the pod for the client.
      const undo = setUpDelivery(netns, old?.undo ?? 0);
      this.#records.set(cookie, { uid, netns, undo, phase });
    } else {
      // The delivery set-up and the addresses stay for open deliveries, until `sweep`.
      if (old !== undefined || phase !== "outside")
        this.#records.set(cookie, { uid, netns, undo: old?.undo ?? 0, phase });
      this.#addresses.setProbePorts(cookie, []);
    }
    if (effects.outbound === "captured") this.#outbound.set(cookie, addresses);
  }

  #attach(cookie: bigint, netns: string): void {
    checkCookie(cookie, netns);
    ensurePinnedLink(this.#pinOf(cookie), () => this.#programs.inbound, { netns }, false);
  }

  /**
   * The kernel has failed. Closes a pod that is to be refused, as far as the program could be attached. Records any other that
   * was captured as one that has left: its listeners stay for the open connections. True if the pod is closed.
   */
  #close(cookie: bigint, { effects, otherwise }: KernelPod): boolean {
    this.#outbound.delete(cookie);
    if (effects.inbound === "captured" && otherwise === "refuse") return existsSync(this.#pinOf(cookie));
    this.#detach(cookie);
    const record = this.#records.get(cookie);
    if (record?.phase === "captured" || record?.phase === "leaving")
      this.#records.set(cookie, { ...record, phase: "left" });
    return false;
  }

  #release(cookie: bigint): void {
    this.#outbound.delete(cookie);
    this.#detach(cookie);
  }

  /** Detaches the program before it deletes the addresses: the program drops connections to addresses without an entry. */
  #forget(cookie: bigint): void {
    this.#release(cookie);
    this.#withoutListener.delete(cookie);
    this.#addresses.forget(cookie);
    const record = this.#records.get(cookie);
    if (record === undefined) return;
    undoSetUp(cookie, record);
    this.#records.delete(cookie);
  }

  /** Forgets the sandboxes that the pod had before the container runtime made this one. */
  #forgetOthersOf({ uid, cookie }: Sandbox): void {
    for (const [other, record] of this.#records.entries())
      if (record.uid === uid && other !== BigInt(cookie)) this.#forget(other);
  }

  #detach(cookie: bigint): void {
    rmSync(this.#pinOf(cookie), { force: true });
  }

  #pinOf(cookie: bigint): string {
    return join(this.#podPins, String(cookie));
  }
}

/** The numbers of enum without_listener; undefined: no entry. */
const WITHOUT_LISTENER: Readonly<Record<PodEffects["missing"], number | undefined>> = {
  drop: 1,
  open: 2,
  refuse: undefined,
};

function checkCookie(cookie: bigint, netns: string): void {
  if (netnsCookie(netns) !== cookie) throw new Error(`'${netns}' is another network namespace by now`);
}

function undoSetUp(cookie: bigint, record: SandboxRecord): void {
  try {
    // Another network namespace may have taken the path.
    if (netnsCookie(record.netns) === cookie) undoDelivery(record.netns, record.undo);
  } catch (error) {
    if (!(error instanceof AmbitError && error.code === "netns-unavailable")) throw error;
  }
}

function notCaptured({ uid }: Sandbox, error: unknown, isClosed: boolean): AmbitError {
  const { why, remedy } =
    error instanceof AmbitError
      ? { why: [error.message, error.why].filter((part) => part !== undefined).join(": "), remedy: error.remedy }
      : { why: messageOf(error), remedy: undefined };
  return new AmbitError({
    code: "pod-not-captured",
    kind: "system",
    what: `the traffic of the pod with UID ${uid} cannot be captured`,
    why,
    remedy: [
      isClosed
        ? "new connections to the pod are refused, and its own pass outside the mesh"
        : "the pod's traffic passes unchanged",
      remedy ?? "run 'ambit check' on its node",
    ].join("; "),
  });
}
