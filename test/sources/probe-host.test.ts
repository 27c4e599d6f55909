import { expect, it } from "vitest";
import { meshOf } from "./manifests.ts";

const probes = (probe: string, more = ""): string =>
  `{ apiVersion: v1, kind: Pod, metadata: { name: p, namespace: shop }, spec: { ${more} containers: [{ name: a, image: a, ${probe} }] } }`;

it.each([
  ["httpGet", "livenessProbe: { httpGet: { host: 10.0.0.9, port: 8080 } }"],
  ["tcpSocket", "readinessProbe: { tcpSocket: { host: victim.example, port: 8080 } }"],
])("a probe by %s of another host opens no port of the pod, and is a problem", async (_, probe) => {
  const { workloads, problems } = await meshOf(probes(probe));
  expect(workloads[0]?.probePorts).toEqual([]);
  expect(problems).toMatchObject([{ code: "probe-of-another-host", severity: "warning" }]);
});

it("a hook by httpGet of another host is a problem, too", async () => {
  const { problems } = await meshOf(probes("lifecycle: { preStop: { httpGet: { host: 10.0.0.9, port: 80 } } }"));
  expect(problems).toMatchObject([{ code: "probe-of-another-host" }]);
});

it("a probe of the pod itself opens its port", async () => {
  const { workloads, problems } = await meshOf(probes("livenessProbe: { httpGet: { port: 8080 } }"));
  expect(workloads[0]?.probePorts).toEqual([8080]);
  expect(problems).toEqual([]);
});

it("a pod in its node's network may probe 127.0.0.1", async () => {
  const probe = "livenessProbe: { httpGet: { host: 127.0.0.1, port: 8080 } }";
  expect((await meshOf(probes(probe, "hostNetwork: true,"))).problems).toEqual([]);
});
