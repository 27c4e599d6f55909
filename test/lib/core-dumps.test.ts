import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { keepMemoryOutOfCoreDumps } from "../../agent/lib/core-dumps.ts";

const FILTER = "/proc/self/coredump_filter";
const before = readFileSync(FILTER, "utf8").trim();

afterEach(() => writeFileSync(FILTER, `0x${before}`));

it("a process that keeps its memory out of core dumps dumps none of it", () => {
  expect(before).not.toBe("00000000");
  keepMemoryOutOfCoreDumps();
  expect(readFileSync(FILTER, "utf8").trim()).toBe("00000000");
});
