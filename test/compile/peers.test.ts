import { describe, expect, it } from "vitest";
import { PartCheck } from "../../agent/compile/filters/part-check.ts";
import { knownPeers } from "../../agent/compile/filters/peers.ts";
import type { Workload } from "../../agent/model/workload.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";

/** What the filters take, without what policies may need. */
const ROOM = 4 << 20;

const [TEMPLATE] = objectsToMesh(
  parseManifest(
    "x.yaml",
    0,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "shop", uid: "uid", labels: { "ambit.dev/dataplane-mode": "ambient" } },
      spec: { nodeName: "node-1", containers: [{ name: "app", image: "none" }] },
      status: { phase: "Running", podIP: "10.1.0.1", podIPs: [{ ip: "10.1.0.1" }] },
    }),
  ).objects,
).workloads;

/** `count` pods of a namespace, with a label that is as long as the tenant likes. */
function pods(namespace: string, network: number, count: number, label = "web"): readonly [string, Workload][] {
  if (TEMPLATE === undefined) throw new Error("the template is no pod");
  return Array.from({ length: count }, (_, index) => {
    const meta = { ...TEMPLATE.meta, namespace, name: `web-${index}`, labels: { app: label, version: label } };
    return [
      `10.${network}.${index >> 8}.${index & 255}`,
      { ...TEMPLATE, meta, uid: `${namespace}-${index}`, enrolled: true, serviceAccount: "web" },
    ];
  });
}

const told = (...all: readonly (readonly [string, Workload][])[]) =>
  knownPeers(
    { workloadsByAddress: new Map(all.flat()) },
    "cluster.local",
    new PartCheck(undefined, { verdicts: new Map() }),
  );
const namespaces = (peers: readonly { readonly peer: string }[], isBrief: boolean): ReadonlySet<string | undefined> =>
  new Set(peers.filter(({ peer }) => peer.startsWith("||") === isBrief).map(({ peer }) => peer.split("|")[2]));

describe("the pods that the filters know by address", () => {
  it("have all their names in a usual mesh", () => {
    const { peers, problems } = told(pods("shop", 1, 5_000), pods("other", 2, 5_000));
    expect(peers).toHaveLength(10_000);
    expect(namespaces(peers, true).size).toBe(0);
    expect(problems).toEqual([]);
  });

  it("are brief for the namespace that needs the most, which keeps its namespace and principal", () => {
    const { peers, problems } = told(pods("shop", 1, 500), pods("evil", 2, 20_000, "l".repeat(63)));
    expect(peers).toHaveLength(20_500);
    expect(JSON.stringify(peers).length).toBeLessThan(ROOM);
    expect(namespaces(peers, true)).toEqual(new Set(["evil"]));
    expect(peers.filter(({ peer }) => peer.startsWith("shop-"))).toHaveLength(500);
    expect(peers.find(({ peer }) => peer.startsWith("||"))?.peer).toBe("||evil||||||cluster.local/ns/evil/sa/web");
    expect(problems.map(({ severity, code, subject }) => [severity, code, subject?.namespace])).toEqual([
      ["warning", "limit-reached", "evil"],
    ]);
  });

  it("never fill the filters' configuration, and only the namespace that needs the most loses any", () => {
    const { peers, problems } = told(pods("shop", 1, 500), pods("evil", 2, 60_000, "l".repeat(63)));
    expect(JSON.stringify(peers).length).toBeLessThan(ROOM);
    expect(peers.filter(({ peer }) => peer.startsWith("shop-"))).toHaveLength(500);
    expect(problems.map(({ reason }) => reason).join()).toContain("strangers");
  });
});
