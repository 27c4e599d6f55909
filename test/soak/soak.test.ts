import { describe, expect, it } from "vitest";
import { judge, judgeGrowth, outsideOf, type Sample } from "./judge.ts";

const sample = (changes: Partial<Sample> = {}): Sample => ({
  at: 0,
  pods: 5,
  agentMemory: 100,
  envoyMemory: 100,
  envoyAllocated: 20,
  envoyHeap: 40,
  agentFiles: 40,
  envoyFiles: 400,
  pins: 10,
  netns: 5,
  cgroups: 9,
  listeners: 37,
  ...changes,
});

describe("a soak's judgement", () => {
  it("excuses what was under way while an Envoy was down, and nothing else", () => {
    const call = (started: number, at: number) => ({ started, at, kind: "http1", reason: "reset" });
    const outages = [{ from: 10_000, until: 11_000 }];
    const calls = [
      call(8_000, 9_000),
      call(9_900, 10_100),
      call(10_500, 15_500),
      call(12_500, 12_600),
      call(14_000, 14_001),
    ];
    expect(outsideOf(calls, outages)).toEqual([call(8_000, 9_000), call(14_000, 14_001)]);
  });

  it("finds what grows", () => {
    expect(judge([sample()], [sample()]).every(({ ok }) => ok)).toBe(true);
    expect(judge([sample()], [sample({ agentMemory: 119 })]).every(({ ok }) => ok)).toBe(true);
    const leaking = judge([sample()], [sample({ agentMemory: 130, netns: 6 })]);
    expect(leaking.filter(({ ok }) => !ok).map(({ what }) => what)).toEqual(["agentMemory", "netns"]);
  });

  it("finds what grows slowly, once it has seen enough of it", () => {
    const run = (minutes: number, memory: (minute: number) => number): readonly Sample[] =>
      Array.from({ length: minutes * 6 }, (_, i) => sample({ at: i * 10_000, envoyMemory: memory(i / 6) }));
    const grown = (samples: readonly Sample[]): readonly string[] =>
      judgeGrowth(samples)
        .filter(({ ok }) => !ok)
        .map(({ what }) => what);
    const filling = run(10, (minute) => 100 + Math.min(3, minute) * 10 + (minute % 1) * 5);
    expect(grown(filling)).toEqual([]);
    expect(grown(run(10, (minute) => 100 + minute + (minute % 1) * 5))).toEqual(["envoyMemory"]);
    expect(judgeGrowth(run(5, (minute) => 100 + 9 * minute))).toEqual([]);
  });
});
