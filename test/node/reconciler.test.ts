import { beforeEach, expect, test } from "vitest";
import type { CapturedPod } from "../../agent/model/capture-state.ts";
import { createLogger } from "../../agent/lib/log.ts";
import { Reconciler } from "../../agent/node/reconciler.ts";
import type { ReconciledConfig } from "../../agent/node/states-adapter.ts";
import type { XdsSnapshot } from "../../agent/xds/snapshot.ts";

/** What has happened, in order: listeners are published, the kernel captures pods (`~`: inbound alone), others are told. */
const done: string[] = [];
/** Network namespaces in which the proxy listens. */
const listening = new Set<string>();
let afterPublish = (): unknown => undefined;

/** Most tests have none. */
const note = (what: string, list: readonly unknown[]): void => {
  if (list.length > 0) done.push(`${what} ${list.length}`);
};
const pod = (uid: string, waits: boolean): CapturedPod => ({ uid, netns: uid, addresses: [], probePorts: [], waits });
const name = ({ uid, waits }: CapturedPod): string => `${waits ? "~" : ""}${uid}`;

function reconciler(known: { readonly captured: readonly string[]; readonly waiting: readonly string[] }): Reconciler {
  return new Reconciler(
    {
      publish: () => {
        done.push("publish");
        afterPublish();
        return { converged: Promise.resolve() };
      },
      publishSecrets: () => undefined,
    },
    {
      preparePods: (pods) => pods.length > 0 && done.push(`prepare ${pods.map(name).join(" ")}`),
      setPods: (pods) => {
        done.push(`capture ${pods.map(name).join(" ")}`);
        return { enrolled: pods.map(({ uid }) => uid), failed: [] };
      },
      setDestinations: () => undefined,
      setMtlsCallers: (addresses) => note("callers", addresses),
      narrowBriefPorts: (ports) => note("at most", ports),
      setBriefPorts: (ports) => note("brief", ports),
      hasInboundListener: (netns) => listening.has(netns),
    },
    { announce: (uids) => done.push(`announce ${uids.join(" ")}`), hasLeft: () => true },
    createLogger("test"),
    known,
  );
}

const config = (...pods: readonly CapturedPod[]): ReconciledConfig => {
  const nothing = new Map();
  const xds: XdsSnapshot = {
    ...{ clusters: nothing, onDemandClusters: nothing, endpoints: nothing, secrets: nothing },
    ...{ extensions: nothing, listeners: nothing, routes: nothing },
  };
  const capture = { pods, leaving: [], destinations: [], briefPorts: [], mtlsCallers: [] };
  return { xds, capture };
};

beforeEach(() => {
  done.length = 0;
  listening.clear();
  afterPublish = () => undefined;
});

test("a pod that waits is captured inbound, and told of only when it is captured as a whole", async () => {
  listening.add("a");
  const it = reconciler({ captured: [], waiting: [] });
  await it.apply(config(pod("a", true)));
  expect(done.splice(0)).toEqual(["prepare ~a", "publish", "announce ", "capture ~a", "announce "]);
  expect(it.states.get("a")).toEqual({ enrolled: false, reason: undefined });
  const before = Date.now();
  await it.apply(config(pod("a", false)));
  expect(done).toEqual(["publish", "announce ", "capture a", "announce a"]);
  // Its inbound listener does not show when the others stand.
  expect(Date.now() - before).toBeGreaterThanOrEqual(240);
  expect(it.states.get("a")?.enrolled).toBe(true);
});

test("what an agent before this one has captured inbound stays so until the rest stands", async () => {
  listening.add("a").add("b");
  await reconciler({ captured: ["a", "b"], waiting: ["a"] }).apply(config(pod("a", false)));
  expect(done).toEqual(["capture ~a", "publish", "announce ", "capture a", "announce a"]);
});

test("who loses its certificate with the proxy is let go outbound before its listeners go, and stays captured inbound", async () => {
  listening.add("a");
  const it = reconciler({ captured: ["a"], waiting: [] });
  await it.apply(config(pod("a", true)));
  expect(done).toEqual(["capture ~a", "publish", "announce ", "capture ~a", "announce "]);
});

test("a listener that waits for a certificate is not waited for once its pod is told to wait", async () => {
  listening.add("a");
  const it = reconciler({ captured: ["b"], waiting: [] });
  const running = it.apply(config(pod("a", false), pod("b", false)));
  // The one without the certificate's chains stands at once.
  afterPublish = () => done.filter((each) => each === "publish").length > 1 && listening.add("b");
  await Promise.all([running, it.apply(config(pod("a", false), pod("b", true)))]);
  // Nobody was let go meanwhile.
  expect(done.filter((each) => each.startsWith("capture"))).toEqual(["capture ~b", "capture a ~b"]);
});

test("the kernel knows who may speak mTLS before all else, and has no port that the proxy is about to let go", async () => {
  listening.add("a");
  const it = reconciler({ captured: [], waiting: [] });
  const { xds, capture } = config(pod("a", false));
  const port = { address: "10.0.0.1", port: 25 };
  const told: ReconciledConfig = { xds, capture: { ...capture, briefPorts: [port], mtlsCallers: ["10.0.0.2"] } };
  await it.apply(told);
  expect(done.splice(0)).toEqual([
    ...["callers 1", "at most 1", "prepare a", "publish", "announce ", "brief 1"],
    ...["capture a", "announce a"],
  ]);
  // Now that all are captured, too.
  await it.apply(told);
  expect(done).toEqual(["callers 1", "at most 1", "publish", "brief 1"]);
});
