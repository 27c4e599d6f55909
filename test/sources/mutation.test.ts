import { fc } from "../support/random.ts";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { stringify } from "../../agent/lib/yaml.ts";
import { LastGood } from "../../agent/sources/last-good/last-good.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { parseManifest, type ParsedManifest } from "../../agent/sources/parse-manifest.ts";
import { GOLDEN_INPUT, compiled } from "../golden/golden-options.ts";
import { printProblem } from "../../agent/model/problem.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Good objects, of the golden cases. */
const OBJECTS = readdirSync(GOLDEN_INPUT)
  .flatMap((file) => parseManifest(file, 0, readFileSync(join(GOLDEN_INPUT, file), "utf8")).objects)
  .map(({ value }) => value as { readonly [key: string]: Json });

const BESIDE = stringify({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "beside", namespace: "elsewhere" },
  spec: { clusterIP: "None", ports: [{ port: 80 }] },
});

const NASTY: fc.Arbitrary<Json> = fc.oneof(
  fc.jsonValue() as fc.Arbitrary<Json>,
  fc.constantFrom<Json>(
    null,
    "",
    " ",
    "\0",
    "\u202e",
    "../../etc",
    "a|b",
    "-1",
    "None",
    "x".repeat(300),
    "(?<=a)",
    "[",
    "*",
  ),
  fc.constantFrom<Json>(-1, 0, 0.5, 65_536, 2 ** 53, 1e308, true, false, [], {}, [[]], [null], { "": "" }),
  fc.constantFrom<Json>({ ["__proto__"]: { x: 1 } }, { constructor: 1 }, { toString: 1, length: -1 }),
);

/** A value with one place in it changed: replaced, left out, or given a neighbour. */
function mutate(root: Json, choices: readonly number[], how: number, nasty: Json): Json {
  const copy = structuredClone(root);
  let node = copy;
  for (const choice of choices) {
    if (typeof node !== "object" || node === null) break;
    const keys = Object.keys(node);
    const key = keys[choice % Math.max(1, keys.length)];
    if (key === undefined) break;
    const holder = node as { [key: string]: Json };
    const child = holder[key] ?? null;
    const last = choice % 4 === 0 || typeof child !== "object" || child === null;
    if (!last) {
      node = child;
      continue;
    }
    if (how % 4 === 0 && !Array.isArray(node)) delete holder[key];
    else if (how % 4 === 1 && !Array.isArray(node)) holder[`${key}x`] = nasty;
    else holder[key] = nasty;
    break;
  }
  return copy;
}

const structural = fc
  .tuple(fc.nat(OBJECTS.length - 1), fc.array(fc.nat(40), { minLength: 1, maxLength: 9 }), fc.nat(3), NASTY)
  .map(([index, choices, how, nasty]) => ({
    index,
    text: JSON.stringify(mutate(OBJECTS[index] as Json, choices, how, nasty)),
  }));
const textual = fc
  .tuple(
    fc.nat(OBJECTS.length - 1),
    fc.nat(5_000),
    fc.nat(60),
    fc.oneof(fc.string(), fc.constantFrom("\t", ": ", "- ", "&a *a", "\n---\n", "'", "{", "!!set", "<<: *x")),
  )
  .map(([index, at, length, insert]) => {
    const text = stringify(OBJECTS[index]);
    const place = at % text.length;
    return { index, text: text.slice(0, place) + insert + text.slice(place + length) };
  });

function check(lastGood: LastGood, file: string, text: string): { readonly names: readonly string[] } {
  const files: readonly (readonly [string, ParsedManifest])[] = [
    [file, parseManifest(file, 0, text)],
    ["beside.yaml", parseManifest("beside.yaml", 0, BESIDE)],
  ];
  const objects = files.flatMap(([, parsed]) => parsed.objects);
  const faults = new Map(files.map(([name, parsed]) => [name, parsed.faults]));
  const chosen = lastGood.choose(objects, faults, (list) => objectsToMesh(list));
  compiled({ ...chosen.value, problems: chosen.problems });
  for (const problem of [...files.flatMap(([, parsed]) => parsed.problems), ...chosen.problems].map(printProblem)) {
    expect(problem.origin).toMatch(/^(changed|beside)\.yaml(:\d+)?$/u);
    expect(problem.reason).not.toBe("");
    expect(problem.remedy).not.toBe("");
    const anonymous = problem.code === "invalid-yaml" || problem.code === "not-an-object";
    expect(anonymous ? "-" : problem.object).not.toBe("");
  }
  return { names: chosen.value.services.map(({ meta }) => meta.name) };
}

it("no mutation of a good object throws, hides what is beside it, or is reported without file, reason and remedy", () => {
  fc.assert(
    fc.property(fc.oneof(structural, textual), ({ index, text }) => {
      expect(check(new LastGood(), "changed.yaml", text).names).toContain("beside");
      // The same as a change of what was good: nothing that was good is gone, unless it was left out in good order.
      const lastGood = new LastGood();
      check(lastGood, "changed.yaml", stringify(OBJECTS[index]));
      expect(check(lastGood, "changed.yaml", `${text}\n---\nno object\n`).names).toEqual(
        expect.arrayContaining(["beside", ...serviceNames(OBJECTS[index])]),
      );
    }),
    { numRuns: 400 },
  );
});

function serviceNames(object: unknown): readonly string[] {
  const { services } = objectsToMesh(parseManifest("a.json", 0, JSON.stringify(object)).objects);
  return services.map(({ meta }) => meta.name);
}
