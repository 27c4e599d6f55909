import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const PODS = 100;
export const ENDPOINTS = 10;
export const NAMESPACE = "big";

export function namespace(enrolled: boolean): unknown {
  const labels = enrolled ? { "ambit.dev/dataplane-mode": "ambient" } : {};
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } };
}

/** A cluster of 100 pods, and Services whose endpoints are nowhere. One file an object, as JSON: it is what is read fastest. */
export function writeCluster(folder: string, services: number): void {
  const write = (file: string, object: unknown): void => writeFileSync(join(folder, file), JSON.stringify(object));
  write("namespace.json", namespace(false));
  for (let index = 0; index < PODS; index++) write(`pod-${index}.json`, pod(index));
  for (let index = 0; index < services; index++) {
    write(`service-${index}.json`, service(index));
    write(sliceFile(index), slice(index));
  }
}

function pod(index: number): unknown {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${index}`, namespace: NAMESPACE, labels: { app: `app-${index % 10}` } },
    spec: { nodeName: "node-1", containers: [{ name: "app", image: "none", command: ["sleep", "infinity"] }] },
  };
}

export function clusterIP(index: number): string {
  return `10.96.${100 + (index >> 8)}.${index & 255}`;
}

function service(index: number): unknown {
  const ports = [{ name: "http", port: 80, targetPort: 8080 }];
  const metadata = { name: `service-${index}`, namespace: NAMESPACE };
  return { apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP: clusterIP(index), ports } };
}

export function sliceFile(index: number): string {
  return `slice-${index}.json`;
}

/** `more`: addresses beside the ten that it always has. */
export function slice(index: number, more: readonly string[] = []): unknown {
  const own = Array.from({ length: ENDPOINTS }, (_, at) => `10.${100 + (index >> 8)}.${index & 255}.${at + 1}`);
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `service-${index}-x`,
      namespace: NAMESPACE,
      labels: { "kubernetes.io/service-name": `service-${index}` },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints: [...own, ...more].map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}
