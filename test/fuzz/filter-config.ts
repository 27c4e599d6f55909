import { readFileSync } from "node:fs";
import type { PlaceConfig } from "../../agent/compile/filters/filter-extensions.ts";
import { messageOf } from "../../agent/lib/errors.ts";
import { CHAIN } from "../filters/chain.ts";
import type { FuzzResult, FuzzOptions, Suite } from "./suite.ts";

/** The functions that filters/check-config.ts exports. */
interface Checker {
  readonly memory: WebAssembly.Memory;
  readonly malloc: (size: number) => number;
  readonly check_configuration: (start: number, size: number) => number;
  readonly check_answer: () => number;
  readonly check_hash: () => number;
}

/** Texts that readers stumble over. */
const TEXTS = ["CORP\\", "\\", '"', '\\"', "\0", "\ud800", "\udc00x", "\u2028", "😀", "{", "]", "", "*", "a*", "{**}"];
/** Bytes that mean something in JSON, and bytes that UTF-8 has not. */
const BYTES = Buffer.from('\\"{}[],:0-.eEtfnu \n\0\x1f\x7f\x80\xc0\xe0\xed\xf4\xff', "latin1");

/**
 * Gives the filters' own module configurations of arbitrary texts, and such with wrong bytes or fields. It must never trap,
 * and what it takes must hold every policy that JSON.parse finds.
 */
export const filterConfig: Suite = {
  name: "filter-config",
  summary: "configurations of arbitrary text and bytes, against the filters' reader",
  size: { count: 1_000_000 },
  quick: { count: 5_000 },
  run: (run) => Promise.resolve(fuzzFilterConfig(run)),
};

export function fuzzFilterConfig({ count, seed, progress }: FuzzOptions): FuzzResult {
  const module = new WebAssembly.Module(readFileSync(CHAIN));
  const random = generator(seed);
  const failures: string[] = [];
  let checker = instance(module);
  let taken = 0;
  for (let index = 0; index < count && failures.length < 10; index++) {
    if (index % 10_000 === 0) progress(`${index} of ${count}`);
    const { bytes, isBroken } = configuration(random);
    try {
      const at = checker.malloc(bytes.length);
      new Uint8Array(checker.memory.buffer).set(bytes, at);
      const error = checker.check_configuration(at, bytes.length);
      const read = written(bytes);
      const wanted = read === undefined ? undefined : hashOf(read);
      if (error === 0) taken++;
      if (error === 0 && wanted !== checker.check_hash() >>> 0)
        failures.push(`${index}: read otherwise: ${show(bytes)}`);
      if (error > 0 && !isBroken) failures.push(`${index}: refused: ${show(bytes)}`);
    } catch (error) {
      failures.push(`${index}: ${messageOf(error)}: ${show(bytes)}`);
      checker = instance(module);
    }
  }
  return { figures: { configurations: count, taken }, failures };
}

function instance(module: WebAssembly.Module): Checker {
  const env = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]));
  const { exports } = new WebAssembly.Instance(module, { env });
  (exports["_initialize"] as (() => void) | undefined)?.();
  return exports as unknown as Checker;
}

type Random = (below: number) => number;

/** xorshift32. */
function generator(seed: number): Random {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function text(random: Random): string {
  const parts = Array.from({ length: random(3) + 1 }, () =>
    random(3) === 0
      ? String.fromCharCode(...Array.from({ length: random(6) }, () => random(random(2) === 0 ? 0x80 : 0x1_0000)))
      : (TEXTS[random(TEXTS.length)] ?? ""),
  );
  return parts.join("");
}

function several<T>(random: Random, most: number, make: () => T): readonly T[] {
  return Array.from({ length: random(most + 1) }, make);
}

function valid(random: Random): PlaceConfig {
  const texts = () => several(random, 2, () => text(random));
  const attributes = ["source.namespace", "request.path", "source.ip", "request.headers", text(random)];
  const conditions = () =>
    several(random, 2, () => ({
      attribute: attributes[random(attributes.length)] ?? "",
      path: texts(),
      values: texts(),
      notValues: texts(),
    }));
  const policies = () =>
    several(random, 3, () => ({
      name: text(random),
      action: ["ALLOW", "DENY", "AUDIT", text(random)][random(4)],
      dryRun: random(4) === 0,
      alwaysDeny: random(4) === 0,
      rules: several(random, 2, () => ({
        from: several(random, 2, conditions),
        to: several(random, 1, conditions),
        when: conditions(),
      })),
    }));
  // Texts stand also where the agent would write one of a few words.
  return {
    cluster: text(random),
    firstByteMs: random(1_000),
    series: { outcomes: random(3), pair: random(3), source: random(3), all: random(1_000) },
    policySets: several(random, 2, () => ({ id: text(random), policies: policies(), jwtRules: texts() })),
    jwtRules: [],
    clusters: several(random, 1, () => ({ name: text(random), policySet: text(random), port: random(65_536) })),
    pods: several(random, 2, () => ({ uid: text(random), policySet: text(random) })),
    unguarded: texts(),
    peers: several(random, 1, () => ({ address: text(random), peer: text(random) })),
    retryBudgets: [],
  } as unknown as PlaceConfig;
}

function configuration(random: Random): { readonly bytes: Buffer; readonly isBroken: boolean } {
  const bytes = Buffer.from(JSON.stringify(valid(random)));
  if (random(3) === 0) return { bytes, isBroken: false };
  const changes = random(3) + 1;
  let broken: Buffer = bytes;
  for (let i = 0; i < changes; i++) broken = change(broken, random);
  return { bytes: broken, isBroken: true };
}

function change(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1);
  const other = random(bytes.length + 1);
  const [from, to] = at < other ? [at, other] : [other, at];
  const one = BYTES.subarray(random(BYTES.length)).subarray(0, 1);
  switch (random(6)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), one, bytes.subarray(at)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), one, bytes.subarray(at + 1)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    case 4:
      return bytes.subarray(0, at);
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(random(200), one), bytes.subarray(at)]);
  }
}

/** What JSON.parse finds; undefined: it is no JSON. */
function written(bytes: Buffer): PlaceConfig | undefined {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)) as PlaceConfig;
  } catch {
    return undefined;
  }
}

/** The same as in filters/check-config.ts; undefined: no configuration. */
function hashOf(config: PlaceConfig): number | undefined {
  let hash = 0;
  const code = (value: number): void => {
    hash = Math.imul(hash ^ value, 16_777_619) >>> 0;
  };
  const said = (value: string): void => {
    for (let i = 0; i < value.length; i++) code(value.charCodeAt(i));
    code(value.length);
  };
  const list = <T>(items: readonly T[], note: (item: T) => void): void => {
    for (const item of items) note(item);
    code(items.length);
  };
  type Conditions = PlaceConfig["policySets"][number]["policies"][number]["rules"][number]["when"];
  const conditions = (items: Conditions): void =>
    list(items, ({ attribute, path, values, notValues }) => {
      said(attribute);
      for (const texts of [path, values, notValues]) list(texts, said);
    });
  try {
    for (const { id, policies, jwtRules } of config.policySets) {
      said(id);
      list(policies, ({ name, action, dryRun, alwaysDeny, rules }) => {
        said(name);
        said(action);
        code((dryRun ? 2 : 0) + (alwaysDeny ? 1 : 0));
        list(rules, ({ from, to, when }) => {
          list(from, conditions);
          list(to, conditions);
          conditions(when);
        });
      });
      list(jwtRules, said);
    }
    for (const { uid, policySet } of config.pods) {
      said(uid);
      said(policySet);
    }
    list(config.unguarded, said);
    return hash;
  } catch {
    return undefined;
  }
}

function show(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1")).slice(0, 500);
}
