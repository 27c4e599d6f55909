import { expect, it } from "vitest";
import { AdsStream } from "../../agent/envoy/ads/ads-stream.ts";
import { noneAccepted } from "../../agent/envoy/ads/resources.ts";
import { fc } from "../support/random.ts";
import { snapshot, type Versions } from "./exchange.ts";
import { ModelClient } from "./model-client.ts";
import { EVENTS, ModelRun } from "./model-run.ts";

const NAMES = ["a", "b", "c"] as const;

/**
 * For each cluster: Envoy uses it; which policies guard its pods, or that they decide themselves; and it may be gone. Policies "-"
 * are none: nothing needs to guard the pods.
 */
const configuration = fc.record({
  uses: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  guards: fc.array(fc.constantFrom("P", "Q", "-", "decides", "gone"), { minLength: 3, maxLength: 3 }),
  pods: fc.array(fc.constantFrom("1", "2"), { minLength: 3, maxLength: 3 }),
  // "!" is refused, "?" is refused while the client lacks something.
  answer: fc.constantFrom("", "", "!", "?"),
});
type Configuration = typeof configuration extends fc.Arbitrary<infer T> ? T : never;

/** The filters' version says which policies guard which cluster. */
function versionsOf({ uses, guards, pods, answer }: Configuration): Versions {
  const there = NAMES.flatMap((name, i) => {
    const guard = guards[i] ?? "gone";
    return guard === "gone" ? [] : [{ name, guard, pod: pods[i] ?? "", used: uses[i] }];
  });
  const named = there.filter(({ guard }) => guard === "P" || guard === "Q");
  return {
    clusters: Object.fromEntries(there.filter(({ used }) => used).map(({ name }) => [name, "1"])),
    endpoints: Object.fromEntries(
      there.map(({ name, guard, pod }) => [name, guard === "decides" ? `decides ${pod}` : `direct ${guard} ${pod}`]),
    ),
    listeners: { filter: "1" },
    routes: { filter: "1" },
    extensions: { filter: `${named.map(({ name, guard }) => `${name}=${guard}`).join(" ")}${answer}` },
  };
}

const action = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(fc.constant("publish" as const), configuration) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("settle" as const), fc.constant(0)) },
  ...EVENTS,
  { weight: 1, arbitrary: fc.tuple(fc.constant("agent anew" as const), fc.constant(0)) },
);

it("lets no endpoints rely on filters that do not know them, whatever is refused and heals", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), configuration, (actions, last) => {
      const run = new ModelRun();
      const expectGuarded = (): void => {
        const { client } = run;
        // Without a listener nobody calls.
        const filter = client.of("extensions").get("filter");
        if (filter === undefined || !client.of("listeners").has("filter")) return;
        for (const [name, version] of client.of("endpoints")) {
          const guard = /^direct (?<guard>[PQ])/u.exec(version)?.groups?.["guard"];
          if (guard === undefined) continue;
          expect(filter, `guards ${name} ${version}`).toContain(`${name}=${guard}`);
        }
      };
      for (const [kind, argument] of actions) {
        if (kind === "publish") run.publish(versionsOf(argument));
        else if (kind === "settle") while (run.client.step()) expectGuarded();
        else run.happen(kind, argument);
        expectGuarded();
      }
      const { client, stream } = run;
      run.publish(versionsOf({ ...last, answer: "" }));
      client.lacking = false;
      while (client.step()) expectGuarded();
      run.wait(100_000);
      client.settle();
      expect(stream.converged).toBe(true);
      for (const name of client.of("clusters").keys())
        expect(client.of("endpoints").get(name)).toBe(run.target.endpoints?.[name]);
    }),
    { numRuns: 500 },
  );
});

const base = { listeners: { filter: "1" }, routes: { filter: "1" } } as const;

it("gives no endpoints that were accepted under filters that have changed since", () => {
  const stream = new AdsStream(noneAccepted(), { now: () => 0 });
  const client = new ModelClient(stream);
  const publish = (versions: Versions): void => {
    stream.setTarget(snapshot({ ...base, ...versions }));
    client.collect();
    client.settle();
  };
  client.connect();
  publish({ clusters: { a: "1" }, endpoints: { a: "direct" }, extensions: { filter: "guards a" } });
  expect([...client.of("endpoints")]).toEqual([["a", "direct"]]);
  // Envoy gives the cluster up, as nobody calls it; only then the filters change.
  publish({ endpoints: { a: "direct" }, extensions: { filter: "guards a" } });
  publish({ endpoints: { a: "decides" }, extensions: { filter: "guards none" } });
  publish({ clusters: { a: "1" }, endpoints: { a: "direct" }, extensions: { filter: "guards anew!" } });
  expect([...client.of("endpoints")]).toEqual([["a", "without endpoints"]]);
  publish({ clusters: { a: "1" }, endpoints: { a: "direct" }, extensions: { filter: "guards a" } });
  expect([...client.of("endpoints")]).toEqual([["a", "direct"]]);
});

it("gives an Envoy that comes back no such endpoints before it has said and taken its filters", () => {
  const first = new AdsStream(noneAccepted(), { now: () => 0 });
  const client = new ModelClient(first);
  client.connect();
  first.setTarget(
    snapshot({ ...base, clusters: { a: "1" }, endpoints: { a: "decides" }, extensions: { filter: "guards none" } }),
  );
  client.collect();
  client.settle();
  const stream = new AdsStream(noneAccepted(), { now: () => 0 });
  stream.setTarget(
    snapshot({ ...base, clusters: { a: "1" }, endpoints: { a: "direct" }, extensions: { filter: "refused!" } }),
  );
  client.connect(stream);
  client.settle();
  expect([...client.of("endpoints")]).toEqual([["a", "own filters: direct"]]);
});

it("lets endpoints that filters no longer guard pass their own filters first, and changes nothing else", () => {
  const stream = new AdsStream(noneAccepted(), { now: () => 0 });
  const client = new ModelClient(stream);
  const seen: string[] = [];
  const publish = (versions: Versions): void => {
    stream.setTarget(snapshot({ ...base, ...versions }));
    client.collect();
    while (client.step()) {
      const state = ["a", "b", "c"].map((name) => client.of("endpoints").get(name) ?? "none");
      const line = [...state, client.of("extensions").get("filter") ?? "none"].join(", ");
      if (seen.at(-1) !== line) seen.push(line);
    }
  };
  client.connect();
  const clusters = { a: "1", b: "1", c: "1" };
  publish({
    clusters,
    endpoints: { a: "direct 1", b: "direct 1", c: "decides 1" },
    extensions: { filter: "guards a, b" },
  });
  seen.splice(0);
  // b stays as it is, and a later change without new filters is one step.
  publish({
    clusters: { b: "1", c: "1" },
    endpoints: { b: "direct 1", c: "decides 1" },
    extensions: { filter: "guards b" },
  });
  publish({
    clusters: { b: "1", c: "1" },
    endpoints: { b: "direct 2", c: "decides 1" },
    extensions: { filter: "guards b" },
  });
  expect(seen).toEqual([
    "own filters: direct 1, direct 1, decides 1, guards a, b",
    "own filters: direct 1, direct 1, decides 1, guards b",
    "none, direct 1, decides 1, guards b",
    "none, direct 2, decides 1, guards b",
  ]);
});
