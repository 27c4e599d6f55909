import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AmbitError, messageOf } from "../lib/errors.ts";
import type { IpFamily } from "../lib/ip-address.ts";
import type { KernelPod, KnownSandbox } from "../model/kernel-pod.ts";
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
  /** Sandboxes whose inbound listener is still to come: connections to them are dropped where it is missing. */
  readonly #silent: BpfMap<bigint, number>;
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
    this.#silent = new BpfMap(mapOf(maps, "silent_pods"), u64, u32);
    this.#deliveries = new BpfMap(mapOf(maps, "proxy_conns"), raw(48), u64);
    this.#listeners = new InboundListeners(mapOf(maps, "worker_listeners"), mapOf(maps, "listener_slots"));
  }

  /** See `Capture.setPod`. */
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

  /** Stops capture before anything else, outbound before inbound. Starts it last, when all that it needs is there. */
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
      // Deliveries work from here on. The answer to an earlier one leaves the pod for the client, and when TCP tries again
      // after a second, the connection is not known as a delivery.
      this.#addresses.set(cookie, addresses);
    } else if (old !== undefined || phase !== "outside") {
      // The delivery set-up and the addresses stay for open deliveries, until `sweep`.
      this.#records.set(cookie, { uid, netns, undo: old?.undo ?? 0, phase });
    }
    this.#addresses.setProbePorts(cookie, isInboundCaptured ? probePorts : []);
    if (isInboundCaptured && effects.missing === "drop") this.#silent.set(cookie, 1);
    else this.#silent.delete(cookie);
    if (isInboundCaptured) ensurePinnedLink(this.#pinOf(cookie), () => this.#programs.inbound, { netns }, false);
    if (effects.outbound === "captured") this.#outbound.set(cookie, addresses);
  }

  /** Records a sandbox that was captured as one that has left: its listeners stay for the open connections. */
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

  /** Detaches the program before it deletes the addresses: the program drops connections to addresses without an entry. */
  #forget(cookie: bigint): void {
    this.#release(cookie);
    this.#silent.delete(cookie);
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
