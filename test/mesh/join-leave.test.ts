import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { MeshLab, namespace, pod, service } from "./mesh-lab.ts";
import { SteadyLoad } from "./steady-load.ts";

/** Of all callers together. */
const RATE = 300;
const STREAMS = 20;

describePrivileged("namespaces that join and leave under load", () => {
  const lab = new MeshLab("join");
  const loads: SteadyLoad[] = [];

  const label = async (ns: string, enrolled: boolean): Promise<void> => {
    const { code, stderr } = await lab.ambit(enrolled ? "enroll" : "unenroll", ns, "--name", lab.name);
    if (code !== 0) throw new Error(stderr);
  };
  /** To both nodes, from each of them. */
  const begin = async (rate: number, streams: number): Promise<void> => {
    const to = ["near.back", "far.back"];
    const callers = ["front/caller-1", "front/caller-2"];
    const share = { rate: rate / callers.length, streams: streams / callers.length, to };
    loads.push(...(await Promise.all(callers.map((caller) => SteadyLoad.start(lab, caller, share)))));
  };
  const troubles = async (): Promise<readonly unknown[]> =>
    (await Promise.all(loads.splice(0).map((each) => each.finish()))).flat();

  beforeAll(async () => {
    lab.write("front.yaml", [
      namespace("front", false),
      pod("front", "caller-1", "node-1"),
      pod("front", "caller-2", "node-2"),
    ]);
    lab.write("back.yaml", [
      namespace("back", false),
      pod("back", "near", "node-1", { server: true }),
      pod("back", "far", "node-2", { server: true }),
      service("back", "near", { app: "near" }),
      service("back", "far", { app: "far" }),
    ]);
    await lab.up();
  });
  afterEach(() => {
    for (const load of loads.splice(0)) load.kill();
    lab.remove("strict.yaml");
  });
  afterAll(() => lab.down());

  // The first of all: who joins for the first time has not been set up for deliveries.
  it("break nothing when those who are called take mTLS alone", async () => {
    await label("front", true);
    lab.write("strict.yaml", [
      {
        apiVersion: "security.istio.io/v1",
        kind: "PeerAuthentication",
        metadata: { name: "default", namespace: "back" },
        spec: { mtls: { mode: "STRICT" } },
      },
    ]);
    await begin(RATE, STREAMS);
    for (const enrolled of [true, false, true, false]) await label("back", enrolled);
    expect(await troubles()).toEqual([]);
    await label("front", false);
  });

  it("break nothing when the label goes on and off, and on and off, while other pods come and go", async () => {
    await begin(RATE, STREAMS);
    for (const enrolled of [true, false, true, false]) {
      if (enrolled)
        lab.write(
          "guests.yaml",
          [1, 2].map((i) => pod("back", `guest-${i}`, `node-${i}`, { server: true })),
        );
      else lab.remove("guests.yaml");
      await Promise.all(["front", "back"].map((ns) => label(ns, enrolled)));
    }
    expect(await troubles()).toEqual([]);
  });

  // The streams of each stage go through all that follow.
  it("break nothing when only the callers are in the mesh, or only those who are called", async () => {
    await begin(RATE, STREAMS);
    for (const [ns, enrolled] of [
      ["front", true],
      ["back", true],
      ["front", false],
      ["back", false],
    ] as const) {
      await label(ns, enrolled);
      await begin(0, 4);
    }
    expect(await troubles()).toEqual([]);
  });
});
