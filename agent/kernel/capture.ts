import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { IpFamily } from "../lib/ip-address.ts";
import type { CapturedDestination, PodPort } from "../model/capture-state.ts";
import type { KernelPod, KnownSandbox } from "../model/kernel-pod.ts";
import type { Sandbox } from "../model/sandbox.ts";
import { SandboxCapture } from "./sandbox-capture.ts";
import { AmbitError, messageOf } from "../lib/errors.ts";
import { BriefPortsMap } from "./maps/brief-ports-map.ts";
import { type CounterName, readCounters } from "./maps/counters.ts";
import { DestinationsMap } from "./maps/destinations-map.ts";
import { MtlsCallers } from "./maps/mtls-callers.ts";
import { addressesIn } from "./netns-addresses.ts";
import { netnsCookie } from "./enter-netns.ts";
import { SilentListeners } from "./silent-listeners.ts";
import { mapOf, readObject } from "./loader/object.ts";
import { mountPinDir, removePinDir } from "./loader/pin-dir.ts";
import { openPrograms, pinsOf, writeSettings } from "./programs.ts";

export interface CaptureOptions {
  /** Folder of the pins; the agent mounts a BPF file system there. */
  readonly pinDir: string;
  /** cgroup v2 directory above all pods of this node. */
  readonly podsCgroup: string;
  /** cgroup v2 directory of the proxy's processes, and of nothing else. */
  readonly proxyCgroup: string;
  /** cgroup v2 directory of the kubelet's processes; without it probes go through the proxy, as all connections do. */
  readonly kubeletCgroup: string | undefined;
}

/** The kernel's part of the mesh on this node. It outlives the agent, until `remove`. */
export interface Capture {
  /** What happened to the programs of an earlier agent. */
  readonly how: "adopted" | "swapped" | "loaded";
  /** The sandbox whose network namespace is at this path. Throws AmbitError `netns-unavailable`. */
  sandboxOf(uid: string, netns: string): Sandbox;
  /** The addresses that the network namespace at this path has. Throws AmbitError `netns-unavailable`. */
  addressesIn(netns: string): ReadonlySet<string>;
  /**
   * Makes the kernel do what `effects` say for this sandbox. It forgets an older sandbox of the same pod, and touches no other.
   * A second call changes nothing. Established connections stay on their path. A pod that has left keeps its delivery set-up
   * until `sweep` finds that its last delivery has ended.
   *
   * Throws AmbitError `pod-not-captured`: then neither direction of this pod is captured, and connections to a pod with
   * `otherwise: "refuse"` are refused, if the program could be attached.
   */
  setPod(pod: KernelPod): void;
  /** Undoes all that is left of this sandbox. Call it when the pod has ended; its network namespace may be gone. */
  forget(sandbox: Pick<Sandbox, "cookie">): void;
  /** All sandboxes that the kernel has a record of, also from an earlier agent. */
  known(): readonly KnownSandbox[];
  /** Connections to the sandbox are captured, or refused: also without a record, where an earlier agent could write none. */
  captures(sandbox: Pick<Sandbox, "cookie">): boolean;
  /** Captures connections to exactly these destinations. Throws AmbitError `bad-address`. */
  setDestinations(destinations: readonly CapturedDestination[]): void;
  /**
   * Connections from these addresses may speak mTLS: they stay with the inbound listener that waits long for their first bytes.
   * An address that is no longer in the list is deleted some seconds later. The kernel trusts the list for 20 s, and for
   * another 20 s from each `sweep`. Throws AmbitError `bad-address`.
   */
  setMtlsCallers(addresses: readonly string[]): void;
  /** At these ports, connections from other addresses go to the brief listener, if it stands. Throws AmbitError `bad-address`. */
  setBriefPorts(ports: readonly PodPort[]): void;
  /** Takes back all other ports. Call it before the proxy removes listeners. */
  narrowBriefPorts(ports: readonly PodPort[]): void;
  /** True if the proxy's inbound listener of the family stands in the sandbox. */
  hasInboundListener(sandbox: Pick<Sandbox, "cookie">, family: IpFamily): boolean;
  /**
   * Forgets pods that have left once their last delivery has ended, and deletes addresses that no longer speak mTLS. Call it
   * every few seconds. Returns how many of the pods that have left still have deliveries or listeners.
   */
  sweep(): number;
  /** Decisions of the programs since they were first loaded, counted by name: c/lib/counters.h explains each name. */
  counters(): Record<CounterName, bigint>;
  /** Closes the agent's descriptors. Capture goes on. */
  close(): void;
  /** Ends capture and removes everything from the kernel. */
  remove(): void;
}

/** The cgroup that each program is attached to. */
const ATTACHED_TO: Readonly<Record<string, "podsCgroup" | "proxyCgroup" | "kubeletCgroup">> = {
  pod_connect4: "podsCgroup",
  pod_connect6: "podsCgroup",
  pod_bind4: "podsCgroup",
  pod_bind6: "podsCgroup",
  pod_getpeername4: "podsCgroup",
  pod_getpeername6: "podsCgroup",
  pod_getsockname4: "podsCgroup",
  pod_getsockname6: "podsCgroup",
  pod_sockops: "podsCgroup",
  proxy_connect4: "proxyCgroup",
  proxy_connect6: "proxyCgroup",
  proxy_sockops: "proxyCgroup",
  proxy_getsockopt: "proxyCgroup",
  kubelet_sockops: "kubeletCgroup",
};

/**
 * Loads the programs and pins them, or adopts the pins of an earlier agent. Programs of another version are replaced in place;
 * open connections stay. Call it before the proxy starts, as the programs have to see its listeners begin. Throws AmbitError
 * `capture-unavailable`, `bad-cgroup`, `bpffs-unavailable` or `bpf-map-incompatible`.
 */
export function openCapture(options: CaptureOptions): Capture {
  checkCgroups(options);
  const object = readObject("agent/kernel/ambit.bpf.o");
  mountPinDir(options.pinDir);
  const cgroups = new Map<string, string>();
  for (const [program, role] of Object.entries(ATTACHED_TO)) {
    const cgroup = options[role];
    if (cgroup !== undefined) cgroups.set(program, cgroup);
  }
  const programs = loading(() => openPrograms(object, options.pinDir, cgroups));
  writeSettings(programs.maps, statSync(options.proxyCgroup, { bigint: true }).ino);
  const sandboxes = new SandboxCapture(programs, pinsOf(options.pinDir));
  const silentListeners = loading(() => new SilentListeners(mapOf(programs.maps, "silent_listeners")));
  const destinations = new DestinationsMap(mapOf(programs.maps, "destinations"));
  const mtlsCallers = new MtlsCallers(
    mapOf(programs.maps, "mtls_callers"),
    mapOf(programs.maps, "callers_known_until"),
  );
  const briefPorts = new BriefPortsMap(mapOf(programs.maps, "brief_ports"));
  return {
    how: programs.how,
    sandboxOf,
    addressesIn,
    setPod: (pod) => sandboxes.setPod(pod),
    forget: (sandbox) => sandboxes.forget(sandbox),
    known: () => sandboxes.known(),
    captures: (sandbox) => sandboxes.captures(sandbox),
    setDestinations: (list) => destinations.set(list),
    setMtlsCallers: (addresses) => mtlsCallers.set(addresses),
    setBriefPorts: (ports) => briefPorts.set(ports),
    narrowBriefPorts: (ports) => briefPorts.narrow(ports),
    hasInboundListener: ({ cookie }, family) => sandboxes.hasInboundListener(BigInt(cookie), family),
    sweep: () => {
      mtlsCallers.sweep();
      return sandboxes.sweep();
    },
    counters: () => readCounters(mapOf(programs.maps, "counters")),
    close: () => {
      silentListeners.close();
      programs.close();
    },
    remove: () => {
      sandboxes.forgetAll();
      silentListeners.close();
      programs.close();
      removePinDir(options.pinDir, Object.values(pinsOf(options.pinDir)));
    },
  };
}

function sandboxOf(uid: string, netns: string): Sandbox {
  return { uid, netns, cookie: String(netnsCookie(netns)) };
}

function loading<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof AmbitError) throw error;
    throw new AmbitError({
      code: "capture-unavailable",
      kind: "system",
      what: "the eBPF programs cannot be loaded",
      why: messageOf(error),
      remedy: "Ambit needs Linux 5.18 or newer and CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN; run 'ambit check'",
      cause: error,
    });
  }
}

/** Programs would take a pod below the cgroup of the proxy or the kubelet for the proxy or the kubelet. */
function checkCgroups(options: CaptureOptions): void {
  const pods = resolve(options.podsCgroup);
  for (const path of [options.podsCgroup, options.proxyCgroup, options.kubeletCgroup]) {
    if (path !== undefined && !isCgroup(path))
      throw badCgroup(path, "it is not a directory of the cgroup v2 file system");
  }
  for (const path of [options.proxyCgroup, options.kubeletCgroup]) {
    if (path === undefined || !`${pods}/`.startsWith(`${resolve(path)}/`)) continue;
    throw badCgroup(path, `the pods' cgroup ${pods} lies in it, so that pods could not be told from it`);
  }
}

function isCgroup(path: string): boolean {
  return statSync(`${path}/cgroup.procs`, { throwIfNoEntry: false })?.isFile() ?? false;
}

function badCgroup(path: string, why: string): AmbitError {
  const remedy = "name directories of their own below the cgroup v2 mount for pods, proxy and kubelet";
  return new AmbitError({
    code: "bad-cgroup",
    kind: "user",
    what: `'${path}' cannot be used as a cgroup`,
    why,
    remedy,
  });
}
