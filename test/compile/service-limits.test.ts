import { describe, expect, it } from "vitest";
import { limitServices } from "../../agent/compile/limits/service-limits.ts";
import { shares } from "../../agent/compile/limits/shares.ts";
import { DEFAULT_LIMITS, type Limits } from "../../agent/model/limits.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { compiled } from "../golden/golden-options.ts";
import { fc } from "../support/random.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";

const LIMITS: Limits = { ...DEFAULT_LIMITS, destinations: 100, endpoints: 200 };

interface Shape {
  readonly name: string;
  readonly namespace?: string;
  readonly ports: number;
  readonly addresses: number;
  readonly clusterIP?: string;
}

/** A Service with an EndpointSlice. `clusterIP`: it is headless without one. */
function objectsOf({ name, namespace = "a", ports, addresses, clusterIP = "None" }: Shape): readonly unknown[] {
  const list = Array.from({ length: ports }, (_, index) => ({ name: `http-${index}`, port: 1_000 + index }));
  const endpoints = Array.from({ length: addresses }, (_, index) => ({
    addresses: [`172.31.${index >> 8}.${index & 255}`],
  }));
  const labels = { "kubernetes.io/service-name": name };
  return [
    { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { clusterIP, ports: list } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name, namespace, labels },
      addressType: "IPv4",
      ports: list,
      endpoints,
    },
  ];
}

function meshOf(...shapes: readonly Shape[]): Mesh {
  const text = shapes
    .flatMap(objectsOf)
    .map((object) => JSON.stringify(object))
    .join("\n---\n");
  return objectsToMesh(parseManifest("x.yaml", 0, text).objects);
}

const namesOf = ({ services }: Mesh): readonly string[] => services.map(({ meta }) => meta.name);

describe("what a namespace's Services may use", () => {
  it("leaves a mesh alone that is within its limits", () => {
    const mesh = meshOf({ name: "small", ports: 2, addresses: 10 });
    expect(limitServices(mesh, LIMITS)).toEqual({ mesh, refused: [], problems: [] });
    expect(limitServices(mesh, LIMITS).mesh).toBe(mesh);
  });

  it("leaves out what exceeds the destinations, and names it with numbers, limit and setting", () => {
    const mesh = meshOf(
      { name: "big", ports: 10, addresses: 10 },
      { name: "small", ports: 1, addresses: 1 },
      { name: "other", namespace: "b", ports: 1, addresses: 90 },
    );
    const { mesh: left, problems } = limitServices(mesh, LIMITS);
    expect(namesOf(left)).toEqual(["small", "other"]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ severity: "error", code: "limit-reached", subject: { name: "big" } });
    expect(problems[0]?.reason).toContain("it needs 110 destinations");
    expect(problems[0]?.reason).toContain("limit for this namespace is 100");
    expect(problems[0]?.remedy).toContain("--limits destinations=NUMBER");
  });

  it("leaves out the youngest ones alone, though each virtual address that is refused takes an entry, too", () => {
    const shapes = [1, 2, 3, 4, 5].map((n) => ({
      name: `s${n}`,
      ports: 1,
      addresses: 0,
      clusterIP: `10.96.0.${n}`,
    }));
    const { mesh, problems } = limitServices(meshOf(...shapes), { ...LIMITS, destinations: 4 });
    expect(namesOf(mesh)).toEqual(["s1", "s2", "s3", "s4"]);
    expect(problems[0]?.reason).toContain("use 4, and the limit for this namespace is 4");
  });

  it("counts the addresses behind a virtual address, too, and refuses calls to it", () => {
    const mesh = meshOf({ name: "vip", ports: 2, addresses: 101, clusterIP: "10.96.0.9" });
    const { mesh: left, refused, problems } = limitServices(mesh, LIMITS);
    expect(namesOf(left)).toEqual([]);
    expect(refused).toEqual([{ address: "10.96.0.9", port: 0, mode: "detect" }]);
    expect(problems[0]?.reason).toContain("calls of captured pods to it are refused");
  });

  it("compiles 550,000 destinations without making them", () => {
    const flood = meshOf({ name: "flood", ports: 100, addresses: 5_500 });
    const started = performance.now();
    const { capture, problems } = compiled(flood);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(capture.destinations.length).toBeLessThan(100);
    expect(problems.map(({ code }) => code)).toContain("limit-reached");
  });

  it("derives endpoints for the oldest Services of a namespace, and not for 1,000 that select 1,000 pods", () => {
    const labels = { app: "x" };
    const services = Array.from({ length: 1_000 }, (_, index) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: `s-${index}`, namespace: "a" },
      spec: { selector: labels, ports: [{ name: "http", port: 80 }] },
    }));
    const pods = Array.from({ length: 1_000 }, (_, index) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `p-${index}`, namespace: "a", labels },
      spec: { containers: [{ name: "x", image: "x" }] },
      status: { podIPs: [{ ip: `172.30.${index >> 8}.${index & 255}` }] },
    }));
    const text = [...services, ...pods].map((object) => JSON.stringify(object)).join("\n---\n");
    const { endpointSlices, problems } = objectsToMesh(parseManifest("x.yaml", 0, text).objects);
    expect(endpointSlices.length).toBe(DEFAULT_LIMITS.endpoints / 1_000);
    expect(problems.filter(({ code }) => code === "limit-reached")).toHaveLength(950);
  });

  it("stays within every limit, whatever Services there are, and depends on no order", () => {
    const shape = fc.record({
      name: fc.constantFrom("s", "t", "u", "v", "w"),
      namespace: fc.constantFrom("a", "b"),
      ports: fc.integer({ min: 1, max: 12 }),
      addresses: fc.nat(20),
      clusterIP: fc.constantFrom("None", "10.96.0.1", "10.96.0.2", "10.96.0.3"),
    });
    const shapesOf = fc.uniqueArray(shape, { selector: ({ name, namespace }) => `${namespace}/${name}`, maxLength: 8 });
    fc.assert(
      fc.property(shapesOf, (shapes) => {
        const { mesh, refused } = limitServices(meshOf(...shapes), LIMITS);
        expect(limitServices(meshOf(...shapes.toReversed()), LIMITS).refused).toEqual(refused);
        for (const namespace of ["a", "b"]) {
          const own = shapes.filter(
            (each) =>
              each.namespace === namespace &&
              mesh.services.some(({ meta }) => meta.name === each.name && meta.namespace === namespace),
          );
          const endpoints = own.reduce((sum, { ports, addresses }) => sum + ports * addresses, 0);
          const destinations = own.reduce(
            (sum, { ports, addresses, clusterIP }) => sum + ports + (clusterIP === "None" ? ports * addresses : 0),
            0,
          );
          expect(endpoints).toBeLessThanOrEqual(LIMITS.endpoints);
          expect(destinations).toBeLessThanOrEqual(LIMITS.destinations);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("shares", () => {
  it("gives those who want little all of it, and the others the same", () => {
    const wanted = new Map([
      ["greedy", 1_000],
      ["small", 10],
      ["other", 500],
    ]);
    expect(shares(wanted, 2_000)).toEqual(wanted);
    expect(Object.fromEntries(shares(wanted, 110))).toEqual({ small: 10, other: 50, greedy: 50 });
  });
});
