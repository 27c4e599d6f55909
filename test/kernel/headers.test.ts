import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { COUNTERS } from "../../agent/kernel/maps/counters.ts";
import { PHASE_NUMBERS } from "../../agent/kernel/maps/sandbox-records.ts";
import { BRIEF_PORT, INBOUND_PORT, OUTBOUND_PORTS } from "../../agent/lib/ports.ts";

const header = (name: string): string =>
  readFileSync(new URL(`../../agent/kernel/c/lib/${name}.h`, import.meta.url), "utf8");

it("the counters have the same names and order in C", () => {
  const counters = [...header("counters").matchAll(/^\tCOUNT_(\w+) = (\d+),/gm)].map(([, name = "", number]) => [
    name.toLowerCase(),
    Number(number),
  ]);
  expect(counters).toEqual(COUNTERS.map((name, index) => [name, index]));
  expect(header("counters")).toContain(`COUNTERS = ${COUNTERS.length},`);
});

it("the ports are the same in C", () => {
  const outbound = Object.values(OUTBOUND_PORTS);
  const ports = [...header("ports").matchAll(/^#define (\w+) (\d+)$/gm)].map(([, name, port]) => [name, Number(port)]);
  expect(Object.fromEntries(ports)).toEqual({
    OUTBOUND_PORT_FIRST: Math.min(...outbound),
    OUTBOUND_PORT_LAST: Math.max(...outbound),
    INBOUND_PORT,
    BRIEF_PORT,
  });
});

it("the phases of a sandbox have the same numbers in C", () => {
  const text = Object.entries(PHASE_NUMBERS).map(([phase, number]) => `${number} ${phase}`);
  expect(header("maps")).toContain(`/* ${text.join(", ")}; `);
});
