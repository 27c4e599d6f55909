import { fc } from "../support/random.ts";
import { expect, it } from "vitest";
import { KINDS, type ResourceKind } from "../../agent/xds/snapshot.ts";
import type { Versions } from "./exchange.ts";
import type { ModelClient } from "./model-client.ts";
import { EVENTS, ModelRun } from "./model-run.ts";

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
const action = fc.oneof({ weight: 1, arbitrary: fc.tuple(fc.constant("publish" as const), configuration) }, ...EVENTS);

it("brings a client to the latest configuration whatever the order of events, and breaks nothing on the way", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), configuration, (actions, last) => {
      const run = new ModelRun();
      for (const [kind, argument] of actions) {
        if (kind === "publish") run.publish(argument);
        else run.happen(kind, argument);
        for (const name of run.client.of("routes").keys())
          expect([...run.client.of("clusters").keys()]).toContain(name);
      }
      const { stream, client } = run;
      run.publish(last);
      client.settle();
      expect(stream.converged).toBe(true);
      // What was missing is there, and nothing changes: it is enough to wait.
      client.lacking = false;
      for (let times = 0; times < 20; times++) {
        run.wait(60_000);
        client.settle();
      }
      expect(stream.converged).toBe(true);
      expect(stream.rejections.filter(({ version }) => version.endsWith("?"))).toEqual([]);
      expectHolds(client, last);
      const answered = client.log.length;
      run.publish(structuredClone(last));
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
