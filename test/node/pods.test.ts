import { beforeEach, expect, test } from "vitest";
import { createLogger } from "../../agent/lib/log.ts";
import type { AnnouncedSandbox, Exchange } from "../../agent/model/exchange.ts";
import type { KernelPod, KnownSandbox } from "../../agent/model/kernel-pod.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import type { Workload } from "../../agent/model/workload.ts";
import { Pods } from "../../agent/node/pods.ts";
import { FakeClock } from "../identity/fake-clock.ts";

/** The kernel, the other nodes and the certificates, as one node's pods see them. */
class Surroundings {
  readonly clock = new FakeClock();
  /** What the kernel was asked for, in order: `UID phase inbound/outbound`. */
  readonly asked: string[] = [];
  readonly forgotten: string[] = [];
  known: readonly KnownSandbox[] = [];
  /** Cookies by path: a sandbox that is made anew has another one. */
  readonly cookies = new Map<string, string>();
  /** Paths of network namespaces that are not there. */
  readonly missing = new Set<string>();
  why = "ENOENT";
  /** Cookies of sandboxes in which the proxy listens. */
  readonly listening = new Set<string>();
  refuses = false;
  strictGraceMs = 5_000;
  /** UIDs of pods that a policy selects. */
  readonly protected = new Set<string>();
  /** Cookies of sandboxes to which the kernel lets nobody but the proxy. */
  readonly attached = new Set<string>();
  isFirst = false;
  whenCaptureIsLost: "refuse" | "open" = "refuse";
  readonly certified = new Set<string>();
  /** Addresses in a network namespace; those that are missing here have all. */
  readonly addresses = new Map<string, ReadonlySet<string>>();
  announced: readonly string[] = [];
  version = 0;
  followed = 0;
  changes = 0;

  open(): Pods {
    return new Pods({
      node: "node-1",
      kernel: {
        sandboxOf: (uid, netns) => {
          if (this.missing.has(netns)) throw Object.assign(new Error(this.why), { code: this.why });
          return { uid, netns, cookie: this.cookies.get(netns) ?? "1" };
        },
        addressesIn: (netns) => this.addresses.get(netns) ?? new Set(["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
        setPod: (pod) => this.setPod(pod),
        forget: ({ uid, cookie }) => this.forgotten.push(`${uid}/${cookie}`),
        known: () => this.known,
        captures: ({ cookie }) => this.attached.has(cookie),
        hasInboundListener: ({ cookie }) => this.listening.has(cookie),
      },
      exchange: this.exchange(),
      sandboxes: { netnsOf: (uid) => `/netns/${uid}` },
      hasCertificate: ({ uid }) => this.certified.has(uid),
      protectedPods:
        () =>
        ({ uid }) =>
          this.protected.has(uid),
      isFirst: this.isFirst,
      settings: { strictGraceMs: this.strictGraceMs, whenCaptureIsLost: this.whenCaptureIsLost },
      clock: this.clock,
      log: createLogger("test"),
      onChange: () => this.changes++,
    });
  }

  setPod({ sandbox, phase, effects, otherwise }: KernelPod): void {
    const isFull = this.refuses && effects.inbound === "captured";
    if (effects.inbound === "captured" && (!isFull || otherwise === "refuse")) this.attached.add(sandbox.cookie);
    else this.attached.delete(sandbox.cookie);
    if (isFull) throw new Error("the map is full");
    this.asked.push(`${sandbox.uid} ${phase} ${effects.inbound}/${effects.outbound}`);
  }

  exchange(): Exchange {
    return {
      captured: () => new Map(),
      revision: () => 0,
      follow: () => undefined,
      announce: (sandboxes: readonly AnnouncedSandbox[]) => {
        const list = sandboxes.map(({ uid, cookie }) => `${uid}/${cookie}`);
        if (list.join() !== this.announced.join()) this.version++;
        this.announced = list;
        return this.version;
      },
      followed: () => this.followed,
      waitingFor: () => [],
      trouble: () => undefined,
      onChange: () => () => undefined,
      close: () => undefined,
    };
  }
}

const pod = (uid: string, enrolled: boolean, rest: Partial<Workload> = {}): Workload => ({
  meta: { namespace: "shop", name: uid, labels: {}, creationTimestamp: "" } as unknown as Workload["meta"],
  ...{ uid, node: "node-1", addresses: ["10.0.0.1"], serviceAccount: "default", workloadName: uid, ports: [] },
  ...{ probePorts: [], hostNetwork: false, enrolled, terminated: false },
  ...rest,
});

const mesh = (...workloads: readonly Workload[]): Mesh => ({ workloads }) as unknown as Mesh;

let world: Surroundings;
beforeEach(() => {
  world = new Surroundings();
});

const phase = (pods: Pods, uid: string): string | undefined => pods.states().get(uid)?.state.phase;

test("a pod is set up for deliveries, then captured when its listener stands, then announced", () => {
  world.certified.add("a");
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  // The caller of `follow` compiles anyway.
  expect(world.changes).toBe(0);
  expect(world.asked.splice(0)).toEqual(["a joining open/open"]);
  pods.served(pods.epochs());
  expect(world.asked).toEqual([]);
  world.listening.add("1");
  world.clock.advance(10);
  expect(world.asked.splice(0)).toEqual(["a captured captured/captured"]);
  expect(world.announced).toEqual(["a/1"]);
  expect(world.changes).toBe(1);
});

test("a pod without a listener holds back no other pod", () => {
  world.certified.add("a").add("b");
  world.cookies.set("/netns/a", "1").set("/netns/b", "2");
  const pods = world.open();
  pods.follow(mesh(pod("a", true), pod("b", true)));
  world.listening.add("2");
  pods.served(pods.epochs());
  world.clock.advance(10);
  expect([phase(pods, "a"), phase(pods, "b")]).toEqual(["joining", "captured"]);
  world.clock.advance(60_000);
  world.listening.add("1");
  world.clock.advance(500);
  expect(phase(pods, "a")).toBe("captured");
});

test("a sandbox that is made anew begins anew, though the pod keeps its UID", () => {
  world.certified.add("a");
  world.listening.add("1");
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  pods.served(pods.epochs());
  world.clock.advance(10);
  expect(phase(pods, "a")).toBe("captured");
  world.cookies.set("/netns/a", "2");
  pods.follow(mesh(pod("a", true)));
  expect(world.forgotten).toEqual(["a/1"]);
  expect(phase(pods, "a")).toBe("joining");
  expect(world.announced).toEqual([]);
});

test("a pod that ends is forgotten, and no timer stays", () => {
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  expect(world.clock.pending).toBeGreaterThan(0);
  pods.follow(mesh());
  expect(world.forgotten).toEqual(["a/1"]);
  expect(world.clock.pending).toBe(0);
  expect(pods.states().size).toBe(0);
});

test("a pod that an earlier agent captured stays captured, and one that is gone by now is forgotten", () => {
  world.known = [
    { sandbox: { uid: "a", netns: "/netns/a", cookie: "1" }, phase: "captured", inbound: "captured" },
    { sandbox: { uid: "gone", netns: "/netns/gone", cookie: "7" }, phase: "captured", inbound: "captured" },
  ];
  world.listening.add("1");
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  expect(world.asked).toEqual(["a captured captured/captured"]);
  expect(world.forgotten).toEqual(["gone/7"]);
  expect(world.announced).toEqual(["a/1"]);
  expect(pods.views().get("a")?.listening).toBe(true);
});

test("a pod that leaves is let go when all other nodes follow", () => {
  world.known = [{ sandbox: { uid: "a", netns: "/netns/a", cookie: "1" }, phase: "captured", inbound: "captured" }];
  world.certified.add("a");
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  pods.follow(mesh(pod("a", false)));
  expect(phase(pods, "a")).toBe("leaving");
  expect(world.announced).toEqual(["a/1"]);
  pods.served(pods.epochs());
  world.clock.advance(250);
  expect(world.announced).toEqual([]);
  pods.served(pods.epochs());
  world.clock.advance(60_000);
  expect(phase(pods, "a")).toBe("leaving");
  world.followed = world.version;
  pods.exchangeChanged();
  world.clock.advance(250);
  expect(phase(pods, "a")).toBe("left");
  expect(world.asked.at(-1)).toBe("a left open/open");
});

test("a pod that the kernel does not capture is not announced, says why, and is tried again", () => {
  world.certified.add("a");
  world.listening.add("1");
  world.refuses = true;
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  pods.served(pods.epochs());
  expect(world.announced).toEqual([]);
  expect(pods.views().get("a")).toMatchObject({ state: { phase: "joining" }, failure: "the map is full" });
  world.refuses = false;
  pods.served(pods.epochs());
  world.clock.advance(1_000);
  expect(phase(pods, "a")).toBe("captured");
  expect(pods.views().get("a")?.failure).toBeUndefined();
});

test("pods of the node's network, of other nodes, and without an address are left alone", () => {
  world.certified.add("a").add("b").add("c");
  const pods = world.open();
  pods.follow(
    mesh(pod("a", true, { hostNetwork: true }), pod("b", true, { node: "node-2" }), pod("c", true, { addresses: [] })),
  );
  expect(world.asked).toEqual([]);
  expect(pods.states().size).toBe(0);
});

test("a pod has the addresses that are in its network namespace, whatever its object says", () => {
  world.certified.add("a");
  world.addresses.set("/netns/a", new Set(["10.0.0.9"]));
  const pods = world.open();
  const claims = pod("a", true, { addresses: ["10.0.0.9", "10.0.0.1"] });
  pods.follow(mesh(pod("a", true)));
  expect(pods.states().size).toBe(0);
  expect(pods.unreachable().get("a")).toContain("has none of the Pod's addresses (10.0.0.1)");
  pods.follow(mesh(claims));
  expect(pods.states().get("a")?.addresses).toEqual(["10.0.0.9"]);
  // It is looked for again.
  world.addresses.set("/netns/a", new Set(["10.0.0.9", "10.0.0.1"]));
  pods.follow(mesh(claims));
  expect(pods.states().get("a")?.addresses).toEqual(["10.0.0.9", "10.0.0.1"]);
});

test("a pod that joins when the proxy is replaced is published again", () => {
  world.certified.add("a");
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  pods.served(pods.epochs());
  pods.proxyStarts();
  expect(world.changes).toBe(1);
  world.listening.add("1");
  pods.served(pods.epochs());
  world.clock.advance(10);
  expect(phase(pods, "a")).toBe("captured");
});

test("a pod that was guarded stays captured when the agent is replaced while the pod joins", () => {
  world.known = [{ sandbox: { uid: "a", netns: "/netns/a", cookie: "1" }, phase: "joining", inbound: "captured" }];
  world.listening.add("1");
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  world.certified.add("a");
  pods.exchangeChanged();
  pods.served(pods.epochs());
  world.clock.advance(1_000);
  expect(world.asked).toEqual(["a guarded captured/open", "a joining captured/open", "a captured captured/captured"]);
});

test("a pod without a listener does not make the agent look less often for that of a new one", () => {
  world.certified.add("a").add("b");
  world.cookies.set("/netns/a", "1").set("/netns/b", "2");
  const pods = world.open();
  const first = pod("a", true);
  pods.follow(mesh(first));
  pods.served(pods.epochs());
  world.clock.advance(60_000);
  pods.follow(mesh(first, pod("b", true)));
  pods.served(pods.epochs());
  world.clock.advance(20);
  world.listening.add("2");
  world.clock.advance(10);
  expect([phase(pods, "a"), phase(pods, "b")]).toEqual(["joining", "captured"]);
});

test("a network namespace that comes late is entered though the mesh does not change", () => {
  world.certified.add("a");
  world.missing.add("/netns/a");
  const pods = world.open();
  const found = mesh(pod("a", true));
  pods.follow(found);
  expect([...pods.unreachable().keys()]).toEqual(["a"]);
  world.missing.clear();
  pods.lookAgain();
  expect(world.changes).toBe(1);
  pods.follow(found);
  expect(phase(pods, "a")).toBe("joining");
  pods.lookAgain();
  expect(world.changes).toBe(1);
});

test("a grace of months sets no timer that fires at once", () => {
  world.strictGraceMs = 5e9;
  const waits: number[] = [];
  world.clock.after = (ms) => {
    waits.push(ms);
    return () => undefined;
  };
  world.certified.add("a");
  world.listening.add("1");
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  pods.served(pods.epochs());
  expect(phase(pods, "a")).toBe("captured");
  expect(Math.max(...waits)).toBeLessThan(2 ** 31);
});

test.each([
  ["EMFILE", "captured", []],
  ["ENOENT", undefined, ["a/1"]],
])("a captured pod whose network namespace cannot be entered for %s: %s", (why, expected, forgotten) => {
  world.known = [{ sandbox: { uid: "a", netns: "/netns/a", cookie: "1" }, phase: "captured", inbound: "captured" }];
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  world.missing.add("/netns/a");
  world.why = why;
  pods.follow(mesh(pod("a", true, { probePorts: [8080] })));
  expect([phase(pods, "a"), world.forgotten]).toEqual([expected, forgotten]);
  expect([...pods.unreachable().keys()]).toEqual(["a"]);
});

test("a protected pod is closed from the moment it is seen, and stays so when the kernel fails", () => {
  world.protected.add("a");
  world.refuses = true;
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  expect(phase(pods, "a")).toBe("waiting");
  expect(pods.views().get("a")).toMatchObject({ refusing: "refuse", failure: "the map is full" });
  expect([...world.attached]).toEqual(["1"]);
  world.refuses = false;
  world.clock.advance(1_000);
  expect(pods.views().get("a")).toMatchObject({ refusing: "drop", failure: undefined });
  world.clock.advance(5_000);
  expect(pods.views().get("a")?.refusing).toBe("refuse");
  world.listening.add("1");
  world.clock.advance(10);
  expect(pods.views().get("a")?.refusing).toBeUndefined();
});

test("a protected pod that the kernel does not capture any more stays closed", () => {
  world.certified.add("a");
  world.protected.add("a");
  world.listening.add("1");
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  world.refuses = true;
  pods.served(pods.epochs());
  expect(phase(pods, "a")).toBe("joining");
  expect(pods.views().get("a")).toMatchObject({ refusing: "refuse", failure: "the map is full" });
  expect([...world.attached]).toEqual(["1"]);
});

test("a pod that ran before it got its label, or before the node's first agent, stays open for 5 s", () => {
  world.protected.add("a");
  world.isFirst = true;
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  expect([...world.attached]).toEqual([]);
  world.clock.advance(4_999);
  expect([...world.attached]).toEqual([]);
  world.clock.advance(1);
  expect([...world.attached]).toEqual(["1"]);
  world.cookies.set("/netns/b", "2");
  world.protected.add("b");
  pods.follow(mesh(pod("a", true), pod("b", false)));
  pods.follow(mesh(pod("a", true), pod("b", true)));
  expect([...world.attached]).toEqual(["1"]);
  // After the first reading of the objects a pod is known to be new.
  world.cookies.set("/netns/c", "3");
  world.protected.add("c");
  pods.follow(mesh(pod("a", true), pod("b", true), pod("c", true)));
  expect([...world.attached]).toEqual(["1", "3"]);
});

test("a protected pod is open where availability is preferred", () => {
  world.protected.add("a");
  world.whenCaptureIsLost = "open";
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  world.clock.advance(60_000);
  expect([...world.attached]).toEqual([]);
  expect(pods.views().get("a")?.refusing).toBeUndefined();
});

test("a pod that an earlier agent closed without a record stays closed", () => {
  world.attached.add("1");
  const pods = world.open();
  pods.follow(mesh(pod("a", true)));
  expect([...world.attached]).toEqual(["1"]);
  pods.follow(mesh(pod("a", false)));
  expect([...world.attached]).toEqual([]);
});
