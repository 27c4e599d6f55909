import { beforeEach, expect, test } from "vitest";
import type { NodeConfig } from "../../agent/compile/compile.ts";
import { createLogger } from "../../agent/lib/log.ts";
import { Publisher } from "../../agent/node/publisher.ts";
import type { XdsSnapshot } from "../../agent/xds/snapshot.ts";

/** What happened, in order. */
const done: string[] = [];
/** Acknowledges what was published; one function for each publication that waits. */
const acknowledge: (() => void)[] = [];
let destinationsFit = true;

const publisher = (): Publisher =>
  new Publisher(
    {
      publish: () => {
        done.push("publish");
        return { converged: new Promise<void>((resolve) => acknowledge.push(resolve)) };
      },
      publishSecrets: () => done.push("secrets"),
    },
    {
      setDestinations: () => {
        if (!destinationsFit) throw new Error("the map is full");
        done.push("destinations");
      },
      setMtlsCallers: () => done.push("callers"),
      narrowBriefPorts: () => done.push("narrow"),
      setBriefPorts: () => done.push("ports"),
    },
    createLogger("test"),
  );

const config = (): Pick<NodeConfig, "xds" | "capture"> => {
  const nothing = new Map();
  const xds: XdsSnapshot = {
    ...{ clusters: nothing, onDemandClusters: nothing, endpoints: nothing, secrets: nothing },
    ...{ extensions: nothing, listeners: nothing, routes: nothing, runtime: nothing },
  };
  return { xds, capture: { pods: [], destinations: [], briefPorts: [], mtlsCallers: [] } };
};

beforeEach(() => {
  done.length = 0;
  acknowledge.length = 0;
  destinationsFit = true;
});

test("certificates and callers wait for nothing; destinations wait for the proxy; a port leaves before its listener", async () => {
  const it = publisher();
  const running = it.apply(config(), () => done.push("served"));
  expect(done).toEqual(["secrets", "callers", "narrow", "publish"]);
  expect(it.settled).toBe(false);
  acknowledge.shift()?.();
  await running;
  expect(done.slice(4)).toEqual(["destinations", "ports", "served"]);
  expect(it.settled).toBe(true);
});

test("of the configurations that wait, only the newest is published", async () => {
  const it = publisher();
  const running = it.apply(config(), () => done.push("served 1"));
  void it.apply(config(), () => done.push("served 2"));
  void it.apply(config(), () => done.push("served 3"));
  acknowledge.shift()?.();
  await expect.poll(() => acknowledge.length).toBe(1);
  acknowledge.shift()?.();
  await running;
  expect(done.filter((each) => each.startsWith("served"))).toEqual(["served 1", "served 3"]);
});

test("destinations that do not fit hold back nothing else", async () => {
  destinationsFit = false;
  const it = publisher();
  const running = it.apply(config(), () => done.push("served"));
  acknowledge.shift()?.();
  await running;
  expect(done).toEqual(["secrets", "callers", "narrow", "publish", "ports", "served"]);
});
