import { rmSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, messageOf } from "../lib/errors.ts";
import type { KernelPod, KnownSandbox } from "../model/kernel-pod.ts";
import type { Sandbox } from "../model/sandbox.ts";
import { setUpDelivery, undoDelivery } from "./delivery-setup.ts";
import { ensurePinnedLink } from "./loader/links.ts";
import { BpfMap } from "./loader/maps.ts";
import { mapOf, type NodePrograms, type Pins } from "./programs.ts";
import { familyOf, IP_FAMILIES } from "../lib/ip-address.ts";
import { type ListenerKey, listenerKey, pod, type PodValue, raw, u32, u64 } from "./maps/codecs.ts";
import { takeOverOldEnrolments } from "./maps/old-enrolments.ts";
import { PodAddresses } from "./maps/pod-addresses.ts";
import { type SandboxRecord, SandboxRecords } from "./maps/sandbox-records.ts";
import { netnsCookie } from "./netns.ts";

/**
 * Which sandboxes of this node are captured, in which direction. What a later agent has to know of each is in the kernel.
 * Nothing here touches an entry of another sandbox.
 */
export class Enrolment {
  readonly #programs: NodePrograms;
  /** Folder of the pins: one link for each sandbox whose inbound connections are captured, by its cookie. */
  readonly #podPins: string;
  readonly #records: SandboxRecords;
  readonly #addresses: PodAddresses;
  /** Sandboxes whose outbound connections are captured. */
  readonly #outbound: BpfMap<bigint, PodValue>;
  /** Sandboxes whose inbound listener is still to come: connections to them are dropped where it is missing. */
  readonly #silent: BpfMap<bigint, number>;
  readonly #deliveries: BpfMap<Buffer, bigint>;
  readonly #listeners: BpfMap<ListenerKey, bigint>;

  constructor(programs: NodePrograms, pins: Pins) {
    const { maps } = programs;
    this.#programs = programs;
    this.#podPins = pins.pods;
    this.#records = new SandboxRecords(mapOf(maps, "sandboxes"));
    takeOverOldEnrolments(pins, this.#records);
    this.#addresses = new PodAddresses(
      mapOf(maps, "pod_addresses"),
      mapOf(maps, "probe_ports"),
      this.#records.entries().map(([cookie]) => cookie),
    );
    this.#outbound = new BpfMap(mapOf(maps, "pods"), u64, pod);
    this.#silent = new BpfMap(mapOf(maps, "silent_pods"), u64, u32);
    this.#deliveries = new BpfMap(mapOf(maps, "proxy_conns"), raw(48), u64);
    this.#listeners = new BpfMap(mapOf(maps, "listeners"), listenerKey, u64);
  }

  /**
   * Makes the kernel do for this sandbox what `effects` say; established connections stay on the path that they are on. Doing
   * it again changes nothing. Throws AmbitError `pod-not-captured`, and leaves the sandbox open in both directions.
   */
  setPod(wanted: KernelPod): void {
    const { sandbox } = wanted;
    const cookie = BigInt(sandbox.cookie);
    try {
      this.#forgetOthersOf(sandbox);
      try {
        this.#putIntoEffect(cookie, wanted);
      } catch (error) {
        this.#giveUp(cookie);
        throw error;
      }
    } catch (error) {
      throw notCaptured(sandbox, error);
    }
  }

  /** Undoes what is left of a pod that has ended, whether or not its network namespace is still there. */
  forget({ cookie }: Pick<Sandbox, "cookie">): void {
    this.#forget(BigInt(cookie));
  }

  /** Every sandbox of which there is a record, also from an earlier agent. */
  known(): readonly KnownSandbox[] {
    return this.#records.entries().map(([cookie, { uid, netns, phase }]) => ({
      sandbox: { uid, netns, cookie: String(cookie) },
      phase,
    }));
  }

  hasListener(listener: ListenerKey): boolean {
    return this.#listeners.get(listener) !== undefined;
  }

  /**
   * Forgets the sandboxes that have left, once the proxy has no listener and no delivery in them. To be called from time to
   * time. Returns how many still wait for that.
   */
  sweep(): number {
    const left = this.#records.entries().filter(([, { phase }]) => phase === "left" || phase === "outside");
    if (left.length === 0) return 0;
    const delivering = new Set([...this.#deliveries.entries()].map(([, cookie]) => cookie));
    const over = left.filter(([cookie]) => !delivering.has(cookie) && !this.#hasAnyListener(cookie));
    for (const [cookie] of over) this.#forget(cookie);
    return left.length - over.length;
  }

  /** Forgets all sandboxes at once, also those with open deliveries. */
  forgetAll(): void {
    for (const [cookie] of this.#records.entries()) this.#forget(cookie);
  }

  /** What ends comes first, outbound before inbound; what begins comes last, after everything that it needs. */
  #putIntoEffect(cookie: bigint, { sandbox, addresses, probePorts, phase, effects }: KernelPod): void {
    const { uid, netns } = sandbox;
    const isInboundCaptured = effects.inbound === "captured";
    if (effects.outbound === "open") this.#outbound.delete(cookie);
    if (!isInboundCaptured) this.#detach(cookie);
    const old = this.#records.get(cookie);
    if (effects.delivery || isInboundCaptured) {
      if (netnsCookie(netns) !== cookie) throw new Error(`'${netns}' is another network namespace by now`);
      const undo = setUpDelivery(netns, old?.undo ?? 0);
      this.#records.set(cookie, { uid, netns, undo, phase });
      // The proxy delivers to the sandbox from now on: what it opened before would be answered elsewhere, and tried again by
      // TCP after a second, when it is not known as a delivery.
      this.#addresses.set(cookie, addresses);
    } else if (old !== undefined || phase !== "outside") {
      // The delivery set-up and the addresses stay for deliveries that are open: `sweep` ends them.
      this.#records.set(cookie, { uid, netns, undo: old?.undo ?? 0, phase });
    }
    this.#addresses.setProbePorts(cookie, isInboundCaptured ? probePorts : []);
    if (isInboundCaptured && effects.missing === "drop") this.#silent.set(cookie, 1);
    else this.#silent.delete(cookie);
    if (isInboundCaptured) ensurePinnedLink(this.#pinOf(cookie), () => this.#programs.inbound, { netns }, false);
    if (effects.outbound === "captured") {
      this.#outbound.set(cookie, {
        ipv4: addresses.find((each) => familyOf(each) === 4),
        ipv6: addresses.find((each) => familyOf(each) === 6),
      });
    }
  }

  /** The sandbox was captured: for the next agent it has left, and its listeners stay for the connections that are open. */
  #giveUp(cookie: bigint): void {
    this.#release(cookie);
    const record = this.#records.get(cookie);
    if (record?.phase === "captured" || record?.phase === "leaving")
      this.#records.set(cookie, { ...record, phase: "left" });
  }

  #release(cookie: bigint): void {
    this.#outbound.delete(cookie);
    this.#detach(cookie);
  }

  /** The program goes before the maps forget the addresses: it drops what comes to an address that it does not know. */
  #forget(cookie: bigint): void {
    this.#release(cookie);
    this.#silent.delete(cookie);
    this.#addresses.forget(cookie);
    const record = this.#records.get(cookie);
    if (record === undefined) return;
    undoSetUp(cookie, record);
    this.#records.delete(cookie);
  }

  /** The container runtime made the pod's sandbox anew: nothing is left in the one before. */
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

  #hasAnyListener(netns: bigint): boolean {
    const each = IP_FAMILIES.flatMap((family) => [false, true].map((brief) => ({ netns, family, brief })));
    return each.some((listener) => this.hasListener(listener));
  }
}

function undoSetUp(cookie: bigint, record: SandboxRecord): void {
  try {
    // Another network namespace may have taken the path.
    if (netnsCookie(record.netns) === cookie) undoDelivery(record.netns, record.undo);
  } catch (error) {
    if (!(error instanceof AmbitError && error.code === "netns-unavailable")) throw error;
  }
}

function notCaptured({ uid }: Sandbox, error: unknown): AmbitError {
  const { why, remedy } =
    error instanceof AmbitError
      ? { why: [error.message, error.why].filter((part) => part !== undefined).join(": "), remedy: error.remedy }
      : { why: messageOf(error), remedy: undefined };
  return new AmbitError({
    code: "pod-not-captured",
    kind: "system",
    what: `the traffic of the pod with UID ${uid} cannot be captured`,
    why,
    remedy: remedy ?? "the pod's traffic passes unchanged; run 'ambit check' on its node",
  });
}
