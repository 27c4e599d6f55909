import { describe, expect, it } from "vitest";
import { createLogger } from "../../agent/lib/log.ts";
import { DIRECT_CLUSTERS, DIRECT_PORTS_OF_A_POD, DirectClusters } from "../../agent/envoy/ads/direct-clusters.ts";

const ports = (address: string, count: number, first = 1): readonly string[] =>
  Array.from({ length: count }, (_, index) => `tcp|${address}:${first + index}`);

describe("clusters of pods that are dialled by their own address", () => {
  let now = 0;
  let used: ReadonlySet<string> = new Set<string>();
  const setUp = () => {
    now = 0;
    used = new Set();
    const given: string[] = [];
    const taken: string[] = [];
    const direct = new DirectClusters({
      inUse: () => Promise.resolve(used),
      give: (names) => given.push(...names),
      take: (names) => taken.push(...names),
      log: createLogger("test", "silent"),
      clock: { now: () => now },
    });
    const look = async (ms: number): Promise<void> => {
      now += ms;
      await direct.makeRoom();
      direct.close();
    };
    return { direct, given, taken, look };
  };

  it("come at once, as long as there are few", () => {
    const { direct } = setUp();
    expect(direct.ask(ports("10.0.0.1", 60))).toHaveLength(60);
    expect(direct.ask(ports("[fd00::1]", 60))).toHaveLength(60);
    direct.close();
  });

  it("make room for others of the same pod: the newest that nobody uses, and none of another pod", async () => {
    const { direct, given, taken, look } = setUp();
    const old = ports("10.0.0.1", DIRECT_PORTS_OF_A_POD);
    direct.ask([...old, ...ports("10.0.0.2", 10)]);
    used = new Set(old.slice(-6));
    const wanted = ports("10.0.0.1", 5, 5000);
    expect(direct.ask(wanted)).toEqual([]);
    await look(1_000);
    expect(taken).toEqual(old.slice(-11, -6).toReversed());
    expect(given).toEqual(wanted);
  });

  it("are refused in the end where all other ports of the pod are in use", async () => {
    const { direct, given, taken, look } = setUp();
    const old = ports("10.0.0.1", DIRECT_PORTS_OF_A_POD);
    used = new Set(old);
    direct.ask(old);
    const wanted = ports("10.0.0.1", 1, 5000);
    expect(direct.ask(wanted)).toEqual([]);
    expect(direct.ask(ports("10.0.0.2", 1))).toHaveLength(1);
    await look(1_000);
    expect([given, taken, direct.refused]).toEqual([[], [], 0]);
    await look(30_000);
    expect([given, taken, direct.refused]).toEqual([[], wanted, 1]);
  });

  it("are many in total only while they are in use", async () => {
    const { direct, given, taken, look } = setUp();
    const pods = Array.from({ length: DIRECT_CLUSTERS }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    const old = pods.flatMap((pod) => ports(pod, 1));
    expect(direct.ask(old)).toHaveLength(DIRECT_CLUSTERS);
    used = new Set(old);
    direct.ask(ports("10.0.0.1", 1));
    await look(100);
    expect([given, taken]).toEqual([[], []]);
    await look(1_000);
    expect([given, taken]).toEqual([ports("10.0.0.1", 1), []]);
    used = new Set(old.slice(0, 10));
    await look(1_000);
    expect(taken).toHaveLength(1);
  });
});
