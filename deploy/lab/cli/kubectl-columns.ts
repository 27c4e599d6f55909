import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { LabStatus } from "../control/status-protocol.ts";

/** kubectl's columns of one kind. `wide`: those that `-o wide` adds. */
export interface Columns {
  readonly head: readonly string[];
  readonly wide: readonly string[];
  readonly row: (object: RawObject, status: LabStatus, now: Date) => readonly string[];
}

const NAME_ONLY: Columns = {
  head: ["NAME", "AGE"],
  wide: [],
  row: (object, _, now) => [object.name, age(object, now)],
};

const POD: Columns = {
  head: ["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
  wide: ["IP", "NODE", "ENROLLED"],
  row: (object, { pods }, now) => {
    const pod = pods.find(({ namespace, name }) => namespace === object.namespace && name === object.name);
    const containers = list(object.value, "spec", "containers").length;
    const ready = pod?.containers.filter((container) => container.ready).length ?? 0;
    const restarts = pod?.containers.reduce((sum, container) => sum + container.restarts, 0) ?? 0;
    const place = [pod?.ip ?? "<none>", pod?.node || "<none>", pod?.enrolled === true ? "yes" : "no"];
    return [
      object.name,
      `${ready}/${containers}`,
      pod?.status ?? "Pending",
      String(restarts),
      age(object, now),
      ...place,
    ];
  },
};

const SERVICE: Columns = {
  head: ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
  wide: ["SELECTOR"],
  row: (object, _, now) => {
    const ports = list(object.value, "spec", "ports").map(
      (port) => `${text(port, "port")}/${text(port, "protocol") || "TCP"}`,
    );
    const selector = Object.entries(at(object.value, "spec", "selector") ?? {}).map(
      ([key, value]) => `${key}=${String(value)}`,
    );
    return [
      object.name,
      text(object.value, "spec", "type") || "ClusterIP",
      text(object.value, "spec", "clusterIP") || "<none>",
      text(object.value, "spec", "externalName") || "<none>",
      ports.join(",") || "<none>",
      age(object, now),
      selector.join(",") || "<none>",
    ];
  },
};

const ENDPOINT_SLICE: Columns = {
  head: ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"],
  wide: [],
  row: (object, _, now) => {
    const ports = list(object.value, "ports").map((port) => text(port, "port"));
    const addresses = list(object.value, "endpoints").flatMap((endpoint) => list(endpoint, "addresses").map(String));
    const type = text(object.value, "addressType");
    return [object.name, type, ports.join(",") || "<unset>", addresses.join(",") || "<unset>", age(object, now)];
  },
};

/** How many pods a controller has, and how many of them are ready or done. */
function owned(
  object: RawObject,
  status: LabStatus,
): { readonly all: number; readonly ready: number; readonly done: number } {
  const pods = status.pods.filter(({ owner }) => owner === `${object.kind} ${object.namespace}/${object.name}`);
  return {
    all: pods.length,
    ready: pods.filter(({ ready }) => ready).length,
    done: pods.filter(({ phase }) => phase === "Succeeded").length,
  };
}

const DEPLOYMENT: Columns = {
  head: ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"],
  wide: [],
  row: (object, status, now) => {
    const { all, ready } = owned(object, status);
    const replicas = text(object.value, "spec", "replicas") || "1";
    return [object.name, `${ready}/${replicas}`, String(all), String(ready), age(object, now)];
  },
};

const STATEFUL_SET: Columns = {
  head: ["NAME", "READY", "AGE"],
  wide: [],
  row: (object, status, now) => {
    const replicas = text(object.value, "spec", "replicas") || "1";
    return [object.name, `${owned(object, status).ready}/${replicas}`, age(object, now)];
  },
};

const JOB: Columns = {
  head: ["NAME", "STATUS", "COMPLETIONS", "AGE"],
  wide: [],
  row: (object, status, now) => {
    const { done } = owned(object, status);
    const parallelism = Number(text(object.value, "spec", "parallelism") || "1");
    const completions = text(object.value, "spec", "completions") || String(Math.max(1, parallelism));
    const failed = status.failedJobs.includes(`${object.namespace}/${object.name}`);
    const state = failed ? "Failed" : done >= Number(completions) ? "Complete" : "Running";
    return [object.name, state, `${done}/${completions}`, age(object, now)];
  },
};

const DATA: Columns = {
  head: ["NAME", "DATA", "AGE"],
  wide: [],
  row: (object, _, now) => {
    const keys = ["data", "binaryData", "stringData"].flatMap((field) => Object.keys(at(object.value, field) ?? {}));
    return [object.name, String(new Set(keys).size), age(object, now)];
  },
};

const NODE: Columns = {
  head: ["NAME", "STATUS", "ROLES", "AGE", "VERSION"],
  wide: ["INTERNAL-IP"],
  row: (object, { nodes }, now) => {
    const node = nodes.find(({ name }) => name === object.name);
    const state = node?.ready === true ? "Ready" : "NotReady";
    return [object.name, state, "<none>", age(object, now), "ambit-lab", node?.ip ?? "<none>"];
  },
};

const NAMESPACE: Columns = {
  head: ["NAME", "STATUS", "AGE"],
  wide: [],
  row: (object, _, now) => [object.name, "Active", age(object, now)],
};

const BY_KIND: Readonly<Record<string, Columns>> = {
  Pod: POD,
  Service: SERVICE,
  EndpointSlice: ENDPOINT_SLICE,
  Deployment: DEPLOYMENT,
  StatefulSet: STATEFUL_SET,
  Job: JOB,
  ConfigMap: DATA,
  Secret: DATA,
  Node: NODE,
  Namespace: NAMESPACE,
};

export function columnsOf(kind: string): Columns {
  return BY_KIND[kind] ?? NAME_ONLY;
}

function age({ value }: RawObject, now: Date): string {
  const created = text(value, "metadata", "creationTimestamp");
  const seconds = Math.floor((now.getTime() - Date.parse(created)) / 1000);
  if (created === "" || Number.isNaN(seconds)) return "<unknown>";
  if (seconds < 120) return `${Math.max(0, seconds)}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

type Json = Readonly<Record<string, unknown>>;

/** The object at a path; undefined where there is none. */
export function at(value: unknown, ...path: readonly string[]): Json | undefined {
  const found = path.reduce<unknown>((object, field) => (isObject(object) ? object[field] : undefined), value);
  return isObject(found) ? found : undefined;
}

/** The list at a path; empty where there is none. */
function list(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const field = path.at(-1);
  const parent = at(value, ...path.slice(0, -1));
  const found = field === undefined ? undefined : parent?.[field];
  return Array.isArray(found) ? found : [];
}

/** The text or number at a path, as text; "" where there is none. */
function text(value: unknown, ...path: readonly string[]): string {
  const field = path.at(-1);
  const parent = at(value, ...path.slice(0, -1));
  const found = field === undefined ? undefined : parent?.[field];
  return typeof found === "string" || typeof found === "number" ? String(found) : "";
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
