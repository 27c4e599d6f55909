import { readContainerPort, type WrittenContainerPort } from "../../../agent/objects/container-ports.ts";
import type { Reader } from "../../../agent/objects/reader.ts";
import { capabilityName } from "./capabilities.ts";
import type { ConfigKind } from "./config-data.ts";
import { readProbe, type ProbeSpec } from "./probe-spec.ts";
import { warnOfUnsupported } from "./unsupported.ts";
import { readVolumeMount, type VolumeMount } from "./volume-spec.ts";

/** The fields of a Pod that an environment variable can hold. */
export const ENV_FIELDS = [
  ...(["metadata.name", "metadata.namespace", "metadata.uid", "status.podIP", "status.podIPs"] as const),
  ...(["status.hostIP", "spec.nodeName", "spec.serviceAccountName"] as const),
] as const;

export type EnvField = (typeof ENV_FIELDS)[number];

/** A key of a ConfigMap or Secret. Without the key, the container waits; if `optional`, the variable is not set. */
export interface ConfigKey {
  readonly kind: ConfigKind;
  readonly name: string;
  readonly key: string;
  readonly optional: boolean;
}

export interface EnvVariable {
  readonly name: string;
  readonly from: { readonly value: string } | { readonly field: EnvField } | { readonly config: ConfigKey };
}

/** All keys of a ConfigMap or Secret, as variables. */
export interface EnvSource {
  readonly kind: ConfigKind;
  readonly name: string;
  readonly prefix: string;
  readonly optional: boolean;
}

export interface ContainerSpec {
  readonly name: string;
  /** `command` and `args`, with their `$(VARIABLE)`s not yet replaced. Never empty. */
  readonly command: readonly string[];
  readonly env: readonly EnvVariable[];
  /** Set before `env`. */
  readonly envFrom: readonly EnvSource[];
  readonly mounts: readonly VolumeMount[];
  readonly workingDir: string;
  readonly ports: readonly WrittenContainerPort[];
  readonly readinessProbe: ProbeSpec | undefined;
  readonly livenessProbe: ProbeSpec | undefined;
  readonly startupProbe: ProbeSpec | undefined;
  /** `Always` makes an init container a sidecar, which keeps running beside the others. */
  readonly restartPolicy: "Always" | undefined;
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
  readonly noNewPrivileges: boolean;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

const FIELDS = [
  ...["name", "command", "args", "env", "envFrom", "workingDir", "ports", "volumeMounts", "securityContext"],
  ...["readinessProbe", "livenessProbe", "startupProbe", "restartPolicy"],
  ...["terminationMessagePath", "terminationMessagePolicy"],
];
const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;
const MAX_ID = 2 ** 31 - 1;

/** Reads one container, and notes its problems. `podSecurity`: the Pod's own securityContext. */
export function readContainer(container: Reader, podSecurity: Reader): ContainerSpec | undefined {
  warnOfUnsupported(container, FIELDS);
  const name = container.field("name").required().string() ?? "";
  const texts = (field: string): readonly string[] => container.field(field).list((item) => item.string());
  const command = texts("command");
  if (command.length === 0) {
    container.field("command").error({
      code: "lab-command-missing",
      reason: "the container has no command; the lab pulls no image that could say what to run",
      remedy: 'Add command, for example ["node", "/path/to/app.mjs"].',
    });
  }
  const ports = container.field("ports").list(readContainerPort);
  const byName = new Map(ports.filter((port) => port.name !== "").map((port) => [port.name, port.port]));
  const security = container.field("securityContext");
  return {
    name,
    command: [...command, ...texts("args")],
    env: container.field("env").list(readEnvVariable),
    envFrom: container.field("envFrom").list(readEnvSource),
    mounts: container.field("volumeMounts").list(readVolumeMount),
    workingDir: container.field("workingDir").string() || "/",
    ports,
    readinessProbe: readProbe(container.field("readinessProbe"), byName),
    livenessProbe: readProbe(container.field("livenessProbe"), byName),
    startupProbe: readProbe(container.field("startupProbe"), byName),
    restartPolicy: container.field("restartPolicy").oneOf(["Always"]),
    ...readSecurity(security, podSecurity),
  };
}

function readEnvVariable(entry: Reader): EnvVariable | undefined {
  const name = entry
    .field("name")
    .required()
    .parsed((text) => (ENV_NAME.test(text) ? text : undefined), "the name of a variable", "Use letters, digits and _.");
  const source = entry.field("valueFrom");
  if (name === undefined) return undefined;
  if (!source.present) {
    const value = entry.field("value");
    // The API server refuses numbers and booleans here; manifests that were never applied may hold them.
    return { name, from: { value: value.raw === null ? "" : (value.string() ?? "") } };
  }
  warnOfUnsupported(source, ["fieldRef", "configMapKeyRef", "secretKeyRef"]);
  for (const [field, kind] of [
    ["configMapKeyRef", "ConfigMap"],
    ["secretKeyRef", "Secret"],
  ] as const) {
    const reference = source.field(field);
    if (!reference.present) continue;
    const key = reference.field("key").required().string();
    const object = reference.field("name").required().string();
    const optional = reference.field("optional").boolean() ?? false;
    return key === undefined || object === undefined
      ? undefined
      : { name, from: { config: { kind, name: object, key, optional } } };
  }
  const path = source.field("fieldRef").field("fieldPath");
  const field = ENV_FIELDS.find((known) => known === path.raw);
  if (field !== undefined) return { name, from: { field } };
  if (path.present) {
    path.warning({
      code: "lab-unsupported-field",
      reason: `the lab does not give a container ${String(path.raw)}; the variable is not set`,
      remedy: `Use one of ${ENV_FIELDS.join(", ")}.`,
    });
  }
  return undefined;
}

function readEnvSource(entry: Reader): EnvSource | undefined {
  warnOfUnsupported(entry, ["configMapRef", "secretRef", "prefix"]);
  const isSecret = entry.field("secretRef").present;
  const reference = entry.field(isSecret ? "secretRef" : "configMapRef").required();
  const name = reference.field("name").required().string();
  const optional = reference.field("optional").boolean() ?? false;
  if (name === undefined) return undefined;
  return { kind: isSecret ? "Secret" : "ConfigMap", name, prefix: entry.field("prefix").string() ?? "", optional };
}

function readSecurity(own: Reader, pod: Reader): Pick<ContainerSpec, "capabilities" | "noNewPrivileges" | "user"> {
  warnOfUnsupported(own, ["capabilities", "runAsUser", "runAsGroup", "privileged", "allowPrivilegeEscalation"]);
  const list = (field: string): readonly string[] =>
    own
      .field("capabilities")
      .field(field)
      .list((item) =>
        item.parsed(
          capabilityName,
          "a capability",
          "Write it as in capabilities(7) without CAP_, for example NET_ADMIN.",
        ),
      );
  const add = own.field("privileged").boolean() === true ? ["all"] : list("add");
  const id = (field: string): number | undefined =>
    (own.field(field).present ? own : pod).field(field).integer(0, MAX_ID);
  const uid = id("runAsUser");
  const gid = id("runAsGroup");
  return {
    capabilities: { add, drop: list("drop") },
    noNewPrivileges: own.field("allowPrivilegeEscalation").boolean() === false,
    user: uid === undefined && gid === undefined ? undefined : { uid: uid ?? 0, gid: gid ?? 0 },
  };
}
