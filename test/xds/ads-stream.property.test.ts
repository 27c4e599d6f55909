import { fc } from "../support/random.ts";
import { expect, it } from "vitest";
import { noneAccepted } from "../../agent/envoy/ads/resources.ts";
import { AdsStream } from "../../agent/envoy/ads/ads-stream.ts";
import { KINDS, type ResourceKind } from "../../agent/xds/snapshot.ts";
import { snapshot, type Versions } from "./exchange.ts";
import { ModelClient } from "./model-client.ts";

// A route refers to the cluster of its name: a service is nothing, a cluster, or reachable through a listener.
const anyVersion = fc.constantFrom("1", "2", "3", "4!", "5?", "6?");
const service = fc.record({
  extent: fc.constantFrom("none", "cluster", "all"),
  cluster: fc.constantFrom("1", "2", "3"),
  listener: anyVersion,
  route: anyVersion,
  extension: anyVersion,
});
const configuration = fc.array(service, { minLength: 3, maxLength: 3 }).map((services) => {
  const result: Record<ResourceKind, Record<string, string>> = {
    clusters: {},
    endpoints: {},
    listeners: {},
    routes: {},
    extensions: {},
    secrets: {},
    runtime: {},
  };
  for (const [i, { extent, cluster, listener, route, extension }] of services.entries()) {
    const name = `s${i}`;
    if (extent === "none") continue;
    Object.assign(result.clusters, { [name]: cluster });
    Object.assign(result.endpoints, { [name]: cluster });
    if (extent === "cluster") continue;
    Object.assign(result.listeners, { [name]: listener });
    Object.assign(result.routes, { [name]: route });
    Object.assign(result.extensions, { [name]: extension });
  }
  return result satisfies Versions;
});
const action = fc.oneof(
  { weight: 1, arbitrary: fc.tuple(fc.constant("publish" as const), configuration) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("answer" as const), fc.nat(5)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("lack" as const), fc.nat(1)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("wait" as const), fc.nat(100_000)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("reconnect" as const), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("start anew" as const), fc.constant(0)) },
);

it("brings a client to the latest configuration whatever the order of events, and breaks nothing on the way", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), configuration, (actions, last) => {
      let target: Versions = {};
      const accepted = noneAccepted();
      let now = 0;
      const clock = { now: () => now };
      let stream = new AdsStream(accepted, clock);
      stream.setTarget(snapshot(target));
      let client = new ModelClient(stream);
      client.connect();
      const publish = (next: Versions): void => {
        target = next;
        stream.setTarget(snapshot(next));
        client.collect();
      };
      for (const [kind, argument] of actions) {
        if (kind === "publish") publish(argument);
        else if (kind === "answer") client.step(argument);
        else if (kind === "lack") client.lacking = argument === 1;
        else if (kind === "wait") {
          now += argument;
          client.collect();
        } else {
          stream = new AdsStream(accepted, clock);
          stream.setTarget(snapshot(target));
          if (kind === "start anew") {
            const { lacking } = client;
            client = new ModelClient(stream);
            client.lacking = lacking;
          }
          client.connect(stream);
        }
        for (const name of client.of("routes").keys()) expect([...client.of("clusters").keys()]).toContain(name);
      }
      publish(last);
      client.settle();
      expect(stream.converged).toBe(true);
      // What was missing is there, and nothing changes: it is enough to wait.
      client.lacking = false;
      for (let times = 0; times < 20; times++) {
        now += 60_000;
        client.collect();
        client.settle();
      }
      expect(stream.converged).toBe(true);
      expect(stream.rejections.filter(({ version }) => version.endsWith("?"))).toEqual([]);
      expectHolds(client, last);
      const answered = client.log.length;
      publish(structuredClone(last));
      client.settle();
      expect(client.log.length, "the same again is not sent").toBe(answered);
    }),
    { numRuns: 500 },
  );
});

/** Everything that is wanted and was not refused is held; of what was refused, an earlier good version or nothing. */
function expectHolds(client: ModelClient, wanted: Record<ResourceKind, Record<string, string>>): void {
  for (const kind of KINDS) {
    for (const [name, version] of client.of(kind)) {
      expect(wanted[kind], `${kind} ${name} was removed`).toHaveProperty(name);
      expect(version.endsWith("!")).toBe(false);
    }
    for (const [name, version] of Object.entries(wanted[kind])) {
      const asked = kind !== "routes" && kind !== "extensions" ? true : client.of("listeners").has(name);
      if (!asked || version.endsWith("!")) continue;
      expect(client.of(kind).get(name), `${kind} ${name}`).toBe(version);
    }
  }
}
