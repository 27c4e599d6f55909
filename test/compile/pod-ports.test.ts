import { expect, test } from "vitest";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import { newSession } from "../../agent/compile/session.ts";
import { goldenOptions } from "../golden/golden-options.ts";
import { meshOf } from "../sources/manifests.ts";

const manifests = (ready: boolean): string => `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { ambit.dev/dataplane-mode: ambient } }
---
apiVersion: v1
kind: Pod
metadata: { name: mail, namespace: shop, uid: mail, labels: { app: mail }, annotations: { ambit.dev/netns: /run/netns/mail } }
spec: { nodeName: node-1, serviceAccountName: mail, containers: [{ name: c }] }
status: { phase: Running, podIP: 10.0.0.1, podIPs: [{ ip: 10.0.0.1 }] }
---
apiVersion: v1
kind: Service
metadata: { name: mail, namespace: shop }
spec: { clusterIP: 10.96.0.1, selector: { app: mail }, ports: [{ name: http, port: 80, targetPort: 8080 }, { name: tcp-smtp, port: 25 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: mail-1, namespace: shop, labels: { kubernetes.io/service-name: mail } }
addressType: IPv4
ports: [{ name: http, port: 8080 }, { name: tcp-smtp, port: 25 }]
endpoints: [{ addresses: [10.0.0.1], conditions: { ready: ${ready} }, targetRef: { kind: Pod, name: mail, namespace: shop } }]
`;

// Envoy cuts the connections of a listener that changes, once it has drained them.
test("a pod that is not ready for a while has the same listeners all the time", async () => {
  const told = async (ready: boolean): Promise<NodeConfig> => {
    const mesh = await meshOf(manifests(ready));
    return compile(mesh, goldenOptions(mesh), newSession(0));
  };
  const [ready, not] = [await told(true), await told(false)];
  expect([...ready.xds.listeners.keys()].filter((name) => name.startsWith("inbound"))).toHaveLength(2);
  expect(not.xds.listeners).toEqual(ready.xds.listeners);
  expect(not.capture.briefPorts).toEqual([{ address: "10.0.0.1", port: 25 }]);
});

test("a Service of another namespace that names the pod's address does not say what is spoken there", async () => {
  const stranger = `
apiVersion: v1
kind: Service
metadata: { name: theirs, namespace: other }
spec: { clusterIP: 10.96.0.2, ports: [{ name: tcp, port: 80, targetPort: 8080 }, { name: http, port: 81, targetPort: 7000 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: theirs-1, namespace: other, labels: { kubernetes.io/service-name: theirs } }
addressType: IPv4
ports: [{ name: tcp, port: 8080 }, { name: http, port: 7000 }]
endpoints: [{ addresses: [10.0.0.1], conditions: { ready: true } }]
`;
  const told = async (text: string) => {
    const mesh = await meshOf(text);
    const { xds, capture } = compile(mesh, goldenOptions(mesh), newSession(0));
    const direct = capture.destinations.filter(({ address }) => address === "10.0.0.1");
    return { listeners: xds.listeners, direct };
  };
  const alone = await told(manifests(true));
  expect(await told(`${manifests(true)}---${stranger}`)).toEqual(alone);
  // Dialled by its address, too, a port is what it is: who speaks late at 8080 speaks HTTP all the same.
  expect(alone.direct.map(({ port, mode }) => [port, mode])).toEqual([
    [0, "detect"],
    [8080, "http"],
    [25, "tcp"],
  ]);
});
