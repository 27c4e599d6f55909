import { describe, expect, it } from "vitest";
import { noneAccepted } from "../../agent/envoy/ads/resources.ts";
import { AdsStream, type StreamResponse } from "../../agent/envoy/ads/ads-stream.ts";
import type { ResourceKind } from "../../agent/xds/snapshot.ts";
import { request, snapshot, type Versions } from "./exchange.ts";
import { ModelClient } from "./model-client.ts";

function started(versions: Versions): AdsStream {
  const stream = new AdsStream();
  stream.setTarget(snapshot(versions));
  return stream;
}

/** The single response that is due; its names, so that a failure reads well. */
function only(responses: readonly StreamResponse[]): StreamResponse {
  expect(responses).toHaveLength(1);
  return responses[0] as StreamResponse;
}

function names(response: StreamResponse): string[] {
  return response.resources.map(({ name }) => name);
}

function answer(stream: AdsStream, { kind, nonce }: StreamResponse, error?: string): readonly StreamResponse[] {
  stream.onRequest(request(kind, { nonce, error }));
  return stream.next();
}

function ask(stream: AdsStream, kind: ResourceKind, ...subscribe: string[]): readonly StreamResponse[] {
  stream.onRequest(request(kind, { subscribe }));
  return stream.next();
}

describe("an ADS stream", () => {
  it("answers an empty wildcard, for which Envoy would wait until its time limit", () => {
    const stream = started({});
    const clusters = only(ask(stream, "clusters"));
    expect(clusters).toMatchObject({ kind: "clusters", resources: [], removed: [] });
    answer(stream, clusters);
    const listeners = only(ask(stream, "listeners"));
    expect(stream.converged).toBe(false);
    answer(stream, listeners);
    expect(stream.converged).toBe(true);
  });

  it("sends nothing to a client that comes back with all of it", () => {
    const stream = started({ clusters: { a: "1" }, endpoints: { a: "1" } });
    stream.onRequest(request("clusters", { initialVersions: { a: "1" } }));
    stream.onRequest(request("endpoints", { subscribe: ["a"], initialVersions: { a: "1" } }));
    stream.onRequest(request("listeners", { initialVersions: { gone: "1" } }));
    expect(only(stream.next())).toMatchObject({ kind: "listeners", resources: [], removed: ["gone"] });
  });

  it("lets no endpoints rely on filters that Envoy refused", () => {
    const stream = started({ extensions: { filter: "1" }, endpoints: { a: "decides" } });
    for (const kind of ["clusters", "listeners"] as const) for (const r of ask(stream, kind)) answer(stream, r);
    answer(stream, only(ask(stream, "extensions", "filter")));
    answer(stream, only(ask(stream, "endpoints", "a")));
    stream.setTarget(
      snapshot({ extensions: { filter: "2" }, clusters: { b: "1" }, endpoints: { a: "direct", b: "direct" } }),
    );
    const [clusters] = answer(stream, only(stream.next()), "the filter refuses its configuration");
    expect(clusters).toMatchObject({ kind: "clusters", resources: [{ name: "b" }] });
    // Nothing is sent for the one, and no endpoints for the other, so that its cluster gets warm.
    const nobody = only(ask(stream, "endpoints", "b"));
    expect(nobody.resources).toMatchObject([{ name: "b", version: "without endpoints" }]);
    answer(stream, nobody);
    expect(answer(stream, clusters as StreamResponse)).toEqual([]);
    expect(stream.converged).toBe(true);
    stream.setTarget(
      snapshot({ extensions: { filter: "3" }, clusters: { b: "1" }, endpoints: { a: "direct", b: "direct" } }),
    );
    const [endpoints] = answer(stream, only(stream.next()));
    expect(endpoints?.resources.map(({ name, version }) => [name, version])).toEqual([
      ["a", "direct"],
      ["b", "direct"],
    ]);
  });

  it("lets endpoints be delivered to directly only while the filters that guard them are there", () => {
    const guarded = { endpoints: { a: "direct" }, extensions: { filter: "guards a" } };
    const guarding = { endpoints: { a: "decides" }, extensions: { filter: "guards nothing" } };
    const stream = started(guarding);
    for (const kind of ["clusters", "listeners"] as const) for (const r of ask(stream, kind)) answer(stream, r);
    answer(stream, only(ask(stream, "endpoints", "a")));
    answer(stream, only(ask(stream, "extensions", "filter")));
    const order = (versions: Versions): readonly ResourceKind[] => {
      stream.setTarget(snapshot(versions));
      const kinds: ResourceKind[] = [];
      for (let due = stream.next(); due.length > 0;) {
        kinds.push(...due.map(({ kind }) => kind));
        due = due.flatMap((response) => answer(stream, response));
      }
      return kinds;
    };
    expect(order(guarded)).toEqual(["extensions", "endpoints"]);
    expect(order(guarding)).toEqual(["endpoints", "extensions"]);
  });

  it("does not take a kind that is asked for by name for a wildcard", () => {
    const stream = started({ routes: { a: "1" } });
    for (const kind of ["clusters", "listeners"] as const) for (const r of ask(stream, kind)) answer(stream, r);
    expect(ask(stream, "routes")).toEqual([]);
  });

  it("sends a resource on demand to who asks for it by name beside the wildcard, and its changes from then on", () => {
    const target = (version: string) => {
      const { clusters, ...others } = snapshot({ clusters: { always: "1", cold: version } });
      const values = () => [clusters.get("always")].filter((resource) => resource !== undefined);
      return { ...others, clusters: { get: clusters.get.bind(clusters), has: clusters.has.bind(clusters), values } };
    };
    const stream = new AdsStream();
    stream.setTarget(target("1"));
    const first = only(ask(stream, "clusters"));
    expect(names(first)).toEqual(["always"]);
    for (const response of answer(stream, first)) answer(stream, response);
    const asked = only(ask(stream, "clusters", "cold", "nowhere"));
    expect(asked).toMatchObject({ resources: [{ name: "cold" }], removed: ["nowhere"] });
    answer(stream, asked);
    stream.setTarget(target("2"));
    expect(names(only(stream.next()))).toEqual(["cold"]);
  });

  it("tells filters before listeners, so that a policy is there before what it guards", () => {
    const stream = started({ listeners: { a: "1" }, extensions: { a: "1" }, routes: { a: "1" } });
    const client = new ModelClient(stream);
    client.connect();
    client.settle();
    client.log.length = 0;
    stream.setTarget(snapshot({ listeners: { a: "2" }, extensions: { a: "2" }, routes: { a: "2" } }));
    client.collect();
    client.settle();
    expect(client.log).toEqual(["extensions", "listeners", "routes"]);
  });

  it("sends endpoints while their clusters are unanswered, because Envoy does not answer before they are warm", () => {
    const stream = started({ clusters: { a: "1" }, endpoints: { a: "1" } });
    only(ask(stream, "clusters"));
    expect(only(ask(stream, "endpoints", "a"))).toMatchObject({ kind: "endpoints", resources: [{ name: "a" }] });
  });

  it("finds the one culprit of a refusal that names nobody, and delivers the rest", () => {
    const good = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`filter-${i}`, "1"]));
    const stream = started({ extensions: { ...good, bad: "1" } });
    ask(stream, "clusters").forEach((r) => answer(stream, r));
    ask(stream, "listeners").forEach((r) => answer(stream, r));
    const taken = new Set<string>();
    for (let due = ask(stream, "extensions", ...Object.keys(good), "bad"); due.length > 0;) {
      due = due.flatMap((response) => {
        const refused = names(response).includes("bad");
        if (!refused) names(response).forEach((name) => taken.add(name));
        return answer(stream, response, refused ? "Unable to parse JSON as proto" : undefined);
      });
    }
    expect([...taken].toSorted()).toEqual(Object.keys(good).toSorted());
    expect(stream.rejections.map(({ name }) => name)).toEqual(["bad"]);
    expect(stream.converged).toBe(true);
  });

  it("blames only the listener that the refusal names, not one whose name occurs in the text", () => {
    const stream = started({ listeners: { add: "1", err: "1", bad: "1" } });
    ask(stream, "clusters").forEach((r) => answer(stream, r));
    const all = only(ask(stream, "listeners"));
    const again = answer(stream, all, "Error adding/updating listener(s) bad: error adding listener: no such address");
    expect(stream.rejections.map(({ name }) => name)).toEqual(["bad"]);
    expect(names(only(again))).toEqual(["add", "err"]);
  });

  it("does not send what was refused until it changes", () => {
    const stream = started({ clusters: { a: "1" } });
    expect(answer(stream, only(ask(stream, "clusters")), "no")).toEqual([]);
    stream.setTarget(snapshot({ clusters: { a: "1" } }));
    expect(stream.next()).toEqual([]);
    stream.setTarget(snapshot({ clusters: { a: "2" } }));
    expect(only(stream.next()).resources[0]).toMatchObject({ name: "a", version: "2" });
    expect(stream.rejections).toEqual([]);
  });

  it("sends what was refused again once something else that was refused has recovered, and otherwise ever more rarely", () => {
    let now = 0;
    const stream = new AdsStream(noneAccepted(), { now: () => now });
    stream.setTarget(snapshot({ listeners: { pod: "1" }, extensions: { filter: "1" } }));
    for (const response of ask(stream, "clusters")) answer(stream, response);
    const listener = only(ask(stream, "listeners"));
    answer(stream, only(ask(stream, "extensions", "filter")), "the filter does not start");
    answer(stream, listener, "the filter is missing");
    // Neither has changed, and both are tried again by time.
    const tries: number[] = [];
    for (; now < 200_000; now += 500) {
      for (let due = stream.next(); due.length > 0; due = stream.next()) {
        for (const { kind, nonce } of due) {
          tries.push(now);
          stream.onRequest(request(kind, { nonce, error: "no" }));
        }
      }
    }
    expect(tries.length).toBeGreaterThan(10);
    expect(tries.length).toBeLessThan(24);
    expect(stream.rejections.map(({ name }) => name).toSorted()).toEqual(["filter", "pod"]);
    // A change heals the filter. The listener has not changed, and follows at once.
    stream.setTarget(snapshot({ listeners: { pod: "1" }, extensions: { filter: "2" } }));
    const healed = only(stream.next());
    expect(names(healed)).toEqual(["filter"]);
    const again = only(answer(stream, healed));
    expect(names(again)).toEqual(["pod"]);
    expect(answer(stream, again, "the filter is missing")).toEqual([]);
    expect(stream.rejections.map(({ name }) => name)).toEqual(["pod"]);
    expect(stream.retryAt).toBeGreaterThan(now);
  });

  it("says that something does not exist to whom asks for it, even before there is any configuration", () => {
    const stream = new AdsStream();
    stream.onRequest(request("clusters", { initialVersions: { a: "1" } }));
    stream.onRequest(request("endpoints", { subscribe: ["nowhere"] }));
    stream.setTarget(snapshot({ clusters: { a: "1" } }));
    expect(only(stream.next())).toMatchObject({ kind: "endpoints", removed: ["nowhere"] });
  });

  it("gives a client that starts anew what was accepted last of what it refuses", () => {
    const accepted = noneAccepted();
    const connect = (versions: Versions): { readonly stream: AdsStream; readonly client: ModelClient } => {
      const stream = new AdsStream(accepted, { now: () => 0 });
      stream.setTarget(snapshot(versions));
      const client = new ModelClient(stream);
      client.connect();
      client.settle();
      return { stream, client };
    };
    connect({ listeners: { a: "1", b: "1" }, routes: { a: "1" } });
    for (const round of ["first", "second"]) {
      const { stream, client } = connect({ listeners: { a: "2!", b: "2" }, routes: { a: "2!" } });
      expect([round, ...client.of("listeners")]).toEqual([round, ["b", "2"], ["a", "1"]]);
      expect([...client.of("routes")]).toEqual([["a", "1"]]);
      expect(stream.rejections).toMatchObject([
        { kind: "listeners", name: "a", version: "2!", time: "1970-01-01T00:00:00.000Z" },
        { kind: "routes", name: "a", version: "2!" },
      ]);
      expect(stream.converged).toBe(true);
    }
    const { client } = connect({ listeners: { b: "2" } });
    expect([...client.of("listeners").keys()]).toEqual(["b"]);
  });
});
