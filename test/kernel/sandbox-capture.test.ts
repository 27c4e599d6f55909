import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Capture, openCapture } from "../../agent/kernel/capture.ts";
import { createMap, getPinned, pin } from "../../agent/kernel/loader/bpf-commands.ts";
import { BpfMap, raw, u32, u64 } from "../../agent/kernel/loader/bpf-map.ts";
import { address, addressPort } from "../../agent/kernel/maps/address.ts";
import { exec } from "../../agent/lib/exec.ts";
import { effectsOf } from "../../agent/model/pod-state.ts";
import { sandboxKey } from "../../agent/model/sandbox.ts";
import { describePrivileged } from "../support/privileges.ts";
import { put, type TestPod, Topology } from "./topology.ts";

describePrivileged("one sandbox at a time", () => {
  let net: Topology;
  let one: TestPod;
  let other: TestPod;
  let capture: Capture;

  const map = (name: string): number => {
    const fd = getPinned(join(net.pinDir, "maps", name));
    if (fd === undefined) throw new Error(`no map ${name}`);
    return fd;
  };
  const cookie = (pod: TestPod): string => capture.sandboxOf(pod.uid, pod.netns).cookie;
  const phases = (): Record<string, string> =>
    Object.fromEntries(capture.known().map(({ sandbox, phase }) => [sandbox.uid, phase]));
  /** What the kernel has of each pod, by its cookie. */
  const state = () => ({
    links: readdirSync(join(net.pinDir, "pods")).toSorted(),
    outbound: [...new BpfMap(map("pods"), u64, raw(32)).entries()].map(([key]) => String(key)).toSorted(),
    addresses: Object.fromEntries(
      [...new BpfMap(map("pod_addresses"), address, u64).entries()].map(([text, owner]) => [text, String(owner)]),
    ),
    probePorts: [...new BpfMap(map("probe_ports"), addressPort, u32).entries()]
      .map(([{ address: text, port }]) => `${text} ${port}`)
      .toSorted(),
  });
  const rules = (pod: TestPod): Promise<string> => exec("nsenter", [`--net=${pod.netns}`, "ip", "rule"]);

  beforeAll(async () => {
    net = await new Topology().up();
    one = await net.pod("one", 2);
    other = await net.pod("other", 3);
    capture = openCapture(net);
  });
  afterAll(async () => {
    capture.remove();
    await net.down();
  });

  it("is captured, changed, and released without a word about any other", () => {
    put(capture, one, "captured", [8080, 9090]);
    put(capture, other, "guarded", [8080]);
    const [a, b] = [cookie(one), cookie(other)];
    expect(state()).toEqual({
      links: [a, b].toSorted(),
      outbound: [a],
      addresses: { [one.ipv4]: a, [one.ipv6]: a, [other.ipv4]: b, [other.ipv6]: b },
      probePorts: [`${one.ipv4} 8080`, `${one.ipv4} 9090`, `${one.ipv6} 8080`, `${one.ipv6} 9090`]
        .concat([`${other.ipv4} 8080`, `${other.ipv6} 8080`])
        .toSorted(),
    });
    put(capture, one, "captured", [9090]);
    expect(state().probePorts).toEqual(
      [`${one.ipv4} 9090`, `${one.ipv6} 9090`, `${other.ipv4} 8080`, `${other.ipv6} 8080`].toSorted(),
    );
    put(capture, one, "left");
    expect(state()).toMatchObject({ links: [b], outbound: [], addresses: { [one.ipv4]: a, [other.ipv4]: b } });
    expect(phases()).toEqual({ [one.uid]: "left", [other.uid]: "guarded" });
  });

  it("is forgotten once it has left and nothing is delivered there any more", async () => {
    expect(await rules(one)).toContain("1338");
    expect(capture.sweep()).toBe(0);
    expect(await rules(one)).not.toContain("1338");
    expect(await rules(other)).toContain("1338");
    expect(phases()).toEqual({ [other.uid]: "guarded" });
    expect(Object.keys(state().addresses)).toEqual(expect.arrayContaining([other.ipv4, other.ipv6]));
    expect(Object.keys(state().addresses)).toHaveLength(2);
  });

  it("keeps an address that a pod that ended had before, when that is forgotten late", () => {
    capture.forget(capture.sandboxOf(other.uid, other.netns));
    put(capture, one, "captured", [8080]);
    const late = { ...other, ipv4: one.ipv4, ipv6: one.ipv6 };
    const ended = capture.sandboxOf(one.uid, one.netns);
    // The older one does not take its address back.
    put(capture, { ...late, uid: "uid-late" }, "captured", [9090]);
    put(capture, one, "captured", [8080]);
    expect(state().addresses[one.ipv4]).toBe(cookie(other));
    capture.forget(ended);
    expect(state()).toMatchObject({
      addresses: { [one.ipv4]: cookie(other), [one.ipv6]: cookie(other) },
      probePorts: [`${one.ipv4} 9090`, `${one.ipv6} 9090`],
    });
    capture.forget(capture.sandboxOf(other.uid, other.netns));
    expect(state()).toEqual({ links: [], outbound: [], addresses: {}, probePorts: [] });
    expect(capture.known()).toEqual([]);
  });

  it("takes the place of the one that the pod had before", async () => {
    put(capture, one, "captured");
    const anew = { ...other, uid: one.uid };
    put(capture, anew, "captured");
    const b = cookie(other);
    expect(state()).toMatchObject({ links: [b], outbound: [b] });
    expect(capture.known().map(({ sandbox }) => sandboxKey(sandbox))).toEqual([`${one.uid}/${b}`]);
    expect(await rules(one)).not.toContain("1338");
    capture.forget(capture.sandboxOf(one.uid, other.netns));
  });

  it("is left open, alone, where it cannot be captured", () => {
    put(capture, other, "captured");
    const sandbox = { uid: one.uid, netns: "/run/netns/amb-bpf-none", cookie: "1" };
    const effects = effectsOf({ phase: "guarded", since: 0, strict: false, inbound: "captured" });
    const wanted = { sandbox, addresses: [], probePorts: [], phase: "captured", effects, otherwise: "open" } as const;
    expect(() => capture.setPod(wanted)).toThrow(
      expect.objectContaining({ code: "pod-not-captured", why: expect.stringContaining("cannot be entered") }),
    );
    expect(() => capture.setPod({ ...wanted, sandbox: { ...sandbox, netns: one.netns } })).toThrow(
      expect.objectContaining({ code: "pod-not-captured", why: expect.stringContaining("another network namespace") }),
    );
    expect(() => capture.sandboxOf(one.uid, sandbox.netns)).toThrow(
      expect.objectContaining({ code: "netns-unavailable" }),
    );
    expect(phases()).toEqual({ [other.uid]: "captured" });
    expect(state().links).toEqual([cookie(other)]);
  });

  it("keeps its UID, whatever its form, for the next agent", () => {
    const uid = `config/${"ü".repeat(100)}`;
    put(capture, { ...one, uid }, "joining");
    capture.close();
    capture = openCapture(net);
    expect(phases()).toEqual({ [uid]: "joining", [other.uid]: "captured" });
    capture.forget(capture.sandboxOf(uid, one.netns));
    expect(() => put(capture, { ...one, uid: "x".repeat(256) }, "joining")).toThrow(
      expect.objectContaining({ code: "pod-not-captured", why: "the UID has more than 255 bytes" }),
    );
    expect(phases()).toEqual({ [other.uid]: "captured" });
  });

  it("is taken over from an agent that knew pods by their UID", () => {
    const { uid, netns } = capture.sandboxOf(other.uid, other.netns);
    const b = cookie(other);
    capture.close();
    // As version 0.1 left it: its own map in the place of ours, and the link under the UID.
    const old = Buffer.alloc(528);
    old.write(netns);
    old.writeBigUInt64LE(BigInt(b), 512);
    old.writeUInt32LE(4096, 520);
    old.writeUInt32LE(1, 524);
    const shape = { type: 1, keySize: 64, valueSize: 528, maxEntries: 4096, flags: 1 };
    const fd = createMap("enrolments", shape, undefined);
    const key = Buffer.alloc(64);
    key.write(uid);
    new BpfMap(fd, raw(64), raw(528)).set(key, old);
    pin(fd, join(net.pinDir, "maps/enrolments"));
    rmSync(join(net.pinDir, "maps/sandboxes"));
    const [link = ""] = readdirSync(join(net.pinDir, "pods"));
    const linkFd = getPinned(join(net.pinDir, "pods", link));
    rmSync(join(net.pinDir, "pods", link));
    pin(linkFd ?? -1, join(net.pinDir, "pods", uid));

    capture = openCapture(net);
    expect(capture.known()).toEqual([{ sandbox: { uid, netns, cookie: b }, phase: "captured", inbound: "captured" }]);
    expect(state().links).toEqual([b]);
    expect(readdirSync(join(net.pinDir, "maps"))).not.toContain("enrolments");
    put(capture, other, "captured");
    expect(state().links).toEqual([b]);
  });
});
