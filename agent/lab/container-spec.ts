import type { Reader } from "../sources/reader.ts";
import { capabilityName } from "./capabilities.ts";
import { readProbe, type ProbeSpec } from "./probe-spec.ts";
import { warnOfUnsupported } from "./unsupported.ts";

/** The fields of a Pod that an environment variable can be taken from. */
export const ENV_FIELDS = [
  ...(["metadata.name", "metadata.namespace", "metadata.uid", "status.podIP", "status.podIPs"] as const),
  ...(["status.hostIP", "spec.nodeName", "spec.serviceAccountName"] as const),
] as const;

export type EnvField = (typeof ENV_FIELDS)[number];

export interface EnvVariable {
  readonly name: string;
  readonly from: { readonly value: string } | { readonly field: EnvField };
}

export interface ContainerSpec {
  readonly name: string;
  /** `command` and `args`, before `$(VARIABLE)`s are replaced. Never empty. */
  readonly command: readonly string[];
  readonly env: readonly EnvVariable[];
  readonly workingDir: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly readinessProbe: ProbeSpec | undefined;
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
  readonly noNewPrivileges: boolean;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

const FIELDS = [
  ...["name", "command", "args", "env", "workingDir", "ports", "readinessProbe", "securityContext"],
  ...["terminationMessagePath", "terminationMessagePolicy"],
];
const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;
const MAX_ID = 2 ** 31 - 1;

/** Reads one container; what is wrong with it is noted. `podSecurity`: the Pod's own securityContext. */
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
  const ports = container.field("ports").list((entry) => {
    const port = entry.field("containerPort").required().port();
    const protocol = entry.field("protocol").string() ?? "TCP";
    return port === undefined ? undefined : { name: entry.field("name").string() ?? "", port, protocol };
  });
  const byName = new Map(ports.filter((port) => port.name !== "").map((port) => [port.name, port.port]));
  const security = container.field("securityContext");
  return {
    name,
    command: [...command, ...texts("args")],
    env: container.field("env").list(readEnvVariable),
    workingDir: container.field("workingDir").string() || "/",
    ports,
    readinessProbe: readProbe(container.field("readinessProbe"), byName),
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
  warnOfUnsupported(source, ["fieldRef"]);
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
