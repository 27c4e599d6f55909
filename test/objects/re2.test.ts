import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ensureEnvoy } from "../../agent/envoy/find-envoy.ts";
import { tryExec } from "../../agent/lib/exec.ts";
import { checkRe2 } from "../../agent/objects/http-route/re2-syntax.ts";
import { fc } from "../support/random.ts";

const folder = mkdtempSync(join(tmpdir(), "ambit-re2-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const INTERNAL = "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener";

/** Envoy's verdict on a route table with all of these patterns: the size of each, or what it says. */
async function askEnvoy(patterns: readonly string[]): Promise<ReadonlyMap<string, number> | string> {
  const routes = patterns.map((regex) => ({ match: { safe_regex: { regex } }, direct_response: { status: 200 } }));
  const manager = {
    "@type": HCM,
    stat_prefix: "x",
    route_config: { name: "x", virtual_hosts: [{ name: "x", domains: ["*"], routes }] },
    http_filters: [{ name: "router", typed_config: { "@type": ROUTER } }],
  };
  const config = {
    // Envoy names each size that is above the level of warnings.
    layered_runtime: {
      layers: [
        {
          name: "all",
          static_layer: { "re2.max_program_size.error_level": 1_000_000, "re2.max_program_size.warn_level": 0 },
        },
      ],
    },
    bootstrap_extensions: [{ name: "envoy.bootstrap.internal_listener", typed_config: { "@type": INTERNAL } }],
    static_resources: {
      listeners: [
        {
          name: "x",
          internal_listener: {},
          filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
        },
      ],
    },
  };
  const path = join(folder, "envoy.json");
  writeFileSync(path, JSON.stringify(config));
  const { path: envoy } = await ensureEnvoy();
  const { code, stderr, stdout } = await tryExec(envoy, ["--mode", "validate", "--config-path", path]);
  if (code !== 0) return `${stderr}${stdout}`.slice(-2_000);
  const sizes = `${stderr}${stdout}`.matchAll(/regex '([^]*?)' RE2 program size of (\d+) >/gu);
  return new Map([...sizes].map(([, pattern = "", size]) => [pattern, Number(size)]));
}

const GOOD = [
  "/api/v1/object/[0-9a-z]{36}/action/[0-9a-z]{36}",
  "/(?P<id>[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})",
  ...["é+", "[é-ü]{20}", "(?i)ſk", "[^x]", "(?s).", "\\C", "\\QA+B\\E*", "\\x{e9}", "\\0777", "(?i-s)x"],
  ...["\\pL{10}", "\\p{Greek}", "[^\\pL\\pN[:punct:]]{50}", "(?i)\\PL{30}", "(?i)[k-s]{500}", "(x{0,10}y){5}"],
  ...["(a?){1000}", "((a|b)*c){300}", "(?:(?:(?:a{9}|b{9}){9}){9})", "x{1000}", "(a*)*", "()", "(|a)", "a{0}"],
];
const BAD = [
  ...["(", ")", "[", "a**", "a{1001}", "(a{100}){11}", "\\x{100}", "[\\x{100}-\\x{200}]", "\\p{Foo}", "\\p{Latn}"],
  ...["(?=x)", "(?i){40}", "(?i)*", "\\Q\\E*", "\\1", "\\z\\", "[z-a]", "[[:foo:]]", "(?z)", "\\Z", "*", "\\8"],
];

const literal = fc.constantFrom(
  "a",
  "B",
  "k",
  "/",
  "é",
  "ſ",
  "ü",
  "\\.",
  "\\x41",
  "\\xff",
  "\\0",
  "😀",
  "\\Qa.b\\E",
  "_",
);
const named = fc.constantFrom("\\d", "\\W", "\\pL", "\\PN", "\\p{Lu}", "\\p{^Latin}", "\\p{Han}", "\\s");
const member = fc.oneof(
  fc.constantFrom("a", "Z", "é", "a-z", "A-F", "\\x80-\\xff", "0-9", "-", "k", "[:alpha:]", "[:^word:]", "\\n", "ü"),
  named,
);
const charClass = fc
  .tuple(fc.constantFrom("[", "[^"), fc.array(member, { minLength: 1, maxLength: 6 }))
  .map(([open, members]) => `${open}${members.join("")}]`);
const { pattern } = fc.letrec<{ pattern: string; sequence: string; repeated: string; atom: string }>((tie) => ({
  pattern: fc.array(tie("sequence"), { minLength: 1, maxLength: 3 }).map((each) => each.join("|")),
  sequence: fc.array(tie("repeated"), { minLength: 0, maxLength: 4 }).map((each) => each.join("")),
  repeated: fc
    .tuple(
      tie("atom"),
      fc.constantFrom("", "", "", "*", "+?", "?", "{3}", "{0,20}", "{7,}?", "{40}", "{0}", "**", "{2"),
    )
    .map(([atom, times]) => atom + times),
  atom: fc.oneof(
    { maxDepth: 4, depthIdentifier: "atom" },
    literal,
    charClass,
    named,
    fc.constantFrom(".", "^", "$", "\\b", "\\B", "\\A", "\\z", "\\C", "(?i)", "(?-s)", "(?U)", "("),
    fc
      .tuple(fc.constantFrom("(", "(?:", "(?i:", "(?P<n>", "(?s-i:"), tie("pattern"))
      .map(([open, inside]) => `${open}${inside})`),
  ),
}));

describe("the check of regular expressions against the real Envoy", () => {
  it("accepts nothing that Envoy refuses, and never takes a program for smaller than it is", async () => {
    const random = fc.sample(pattern, { numRuns: 3_000 }).filter((each) => !each.includes("\n"));
    const accepted = [...GOOD, ...new Set(random)].flatMap((each) => {
      const checked = checkRe2(each);
      return typeof checked === "string" ? [] : [{ pattern: each, ...checked }];
    });
    expect(accepted.slice(0, GOOD.length).map((each) => each.pattern)).toEqual(GOOD);
    expect(accepted.length).toBeGreaterThan(800);
    const sizes = await askEnvoy(accepted.map((each) => each.pattern));
    if (typeof sizes === "string") throw new Error(sizes);
    expect(sizes.size).toBeGreaterThan(accepted.length / 2);
    const tooSmall = accepted.filter((each) => (sizes.get(each.pattern) ?? 0) > each.programSize);
    expect(tooSmall.map((each) => [each, sizes.get(each.pattern)])).toEqual([]);
  });

  it.each(BAD)("refuses %s", (bad) => {
    expect(checkRe2(bad)).toBeTypeOf("string");
  });
});
