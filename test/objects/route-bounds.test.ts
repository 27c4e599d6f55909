import { expect, it } from "vitest";
import { isMessage, toBinary } from "@bufbuild/protobuf";
import { RouteConfigurationSchema } from "../../agent/xds/gen/envoy/config/route/v3/route_pb.ts";
import { compiled } from "../golden/golden-options.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { rawObject } from "../../agent/sources/identify-object.ts";

const WEB = { name: "web", port: 80 };

/** What the node's route table is with one route, and the problems. */
function routed(rule: object) {
  const meta = { name: "web", namespace: "mallory" };
  const objects = [
    { apiVersion: "v1", kind: "Service", metadata: meta, spec: { clusterIP: "10.96.0.10", ports: [{ port: 80 }] } },
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: meta,
      spec: { parentRefs: [{ group: "", kind: "Service", name: "web" }], rules: [{ backendRefs: [WEB], ...rule }] },
    },
  ];
  const origin = { layer: 0, file: "mallory.yaml", document: 0, item: 0 };
  const mesh = objectsToMesh(objects.flatMap((object) => rawObject(object, origin, []) ?? []));
  const table = compiled(mesh).xds.routes.get("outbound");
  if (!isMessage(table, RouteConfigurationSchema)) throw new Error("there is no route table");
  return {
    size: toBinary(RouteConfigurationSchema, table).length,
    route: table.virtualHosts[0]?.routes[0],
    codes: mesh.problems.map(({ code }) => code),
  };
}

it("keeps weights within what Envoy adds up", () => {
  const heavy = { ...WEB, weight: 1_000_000 };
  const { route, codes } = routed({ backendRefs: Array.from({ length: 4_400 }, () => heavy) });
  expect(route?.action.case).toBe("directResponse");
  expect(codes).toEqual(["out-of-range"]);
});

it("keeps the longest backoff within what Envoy reads as a duration", () => {
  const { route } = routed({ retry: { backoff: "99999h99999h99999h99999h" } });
  const action = route?.action.case === "route" ? route.action.value : undefined;
  const { baseInterval, maxInterval } = action?.retryPolicy?.retryBackOff ?? {};
  expect(baseInterval?.seconds).toBe(4n * 99_999n * 3_600n);
  expect(maxInterval?.seconds).toBeGreaterThanOrEqual(baseInterval?.seconds ?? 0n);
  // Protobuf's durations, in nanoseconds, are 64 bits in Envoy.
  expect(maxInterval?.seconds).toBeLessThan(9_223_372_036n);
});

it("bounds what the rules of a route repeat for each match", () => {
  const matches = Array.from({ length: 500 }, (_, index) => ({ path: { value: `/${index}` } }));
  const set = Array.from({ length: 500 }, (_, index) => ({ name: `x-${index}`, value: "v".repeat(1_000) }));
  const filters = [{ type: "RequestHeaderModifier", requestHeaderModifier: { set } }];
  for (const rule of [
    { matches, filters },
    { matches, name: "n".repeat(100_000) },
  ]) {
    const { size, codes } = routed(rule);
    expect(codes).toEqual(["limit-reached"]);
    expect(size).toBeLessThan(1_000);
  }
  expect(routed({ matches, filters: [] }).codes).toEqual([]);
});

it("lets no route change where a message ends", () => {
  for (const name of ["Content-Length", "transfer-encoding", "connection"]) {
    const set = [{ name, value: "0" }];
    const { route, codes } = routed({ filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { set } }] });
    expect(codes).toEqual(["reserved-header"]);
    expect(route?.action.case).toBe("directResponse");
  }
});
