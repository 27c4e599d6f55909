import { dirname } from "node:path";
import type { PodAddresses } from "../network/address-plan.ts";
import type { NodePlace } from "../nodes/node-place.ts";
import type { ConfigLookup } from "../pod-spec/config-data.ts";
import type { ContainerSpec, EnvField } from "../pod-spec/container-spec.ts";
import type { PodPlan } from "../pod-spec/pod-plan.ts";

/** What tells a pod apart, and where it runs. */
export interface PodIdentity {
  readonly uid: string;
  readonly plan: PodPlan;
  readonly node: NodePlace;
  readonly addresses: PodAddresses;
}

/** What a container's environment can say of its pod (the downward API). */
export type DownwardFields = Readonly<Record<EnvField, string>> & { readonly hostname: string };

export function downwardFields({ uid, plan, node, addresses }: PodIdentity): DownwardFields {
  return {
    "metadata.name": plan.name,
    "metadata.namespace": plan.namespace,
    "metadata.uid": uid,
    "status.podIP": addresses.ipv4,
    "status.podIPs": [addresses.ipv4, addresses.ipv6].filter(Boolean).join(","),
    "status.hostIP": node.addresses.uplink.ipv4,
    "spec.nodeName": node.name,
    "spec.serviceAccountName": plan.spec.serviceAccount,
    hostname: plan.hostname,
  };
}

/**
 * A container's whole environment, built in Kubernetes' order. `lookup` finds ConfigMaps and Secrets. A text instead of the
 * environment names what is missing: the container waits for it.
 */
export function containerEnv(
  spec: ContainerSpec,
  facts: DownwardFields,
  lookup: ConfigLookup,
): ReadonlyMap<string, string> | string {
  const env = new Map([
    ["PATH", searchPath()],
    ["HOME", spec.user === undefined || spec.user.uid === 0 ? "/root" : "/"],
    ["HOSTNAME", facts.hostname],
  ]);
  for (const { kind, name, prefix, optional } of spec.envFrom) {
    const data = lookup(kind, name);
    if (data === undefined && !optional) return `there is no ${kind} ${name}`;
    for (const [key, value] of data ?? []) env.set(prefix + key, value.toString());
  }
  for (const { name, from } of spec.env) {
    if ("field" in from) env.set(name, facts[from.field]);
    else if ("value" in from) env.set(name, expand(from.value, env));
    else {
      const { kind, name: object, key, optional } = from.config;
      const value = lookup(kind, object)?.get(key);
      if (value !== undefined) env.set(name, value.toString());
      else if (!optional) return `there is no key ${key} in a ${kind} ${object}`;
    }
  }
  return env;
}

/** `command` and `args` with their variables replaced. */
export function containerCommand(spec: ContainerSpec, env: ReadonlyMap<string, string>): readonly string[] {
  return spec.command.map((word) => expand(word, env));
}

/** Kubernetes: `$(NAME)` is replaced where NAME is known and left alone where not; `$$(NAME)` stands for `$(NAME)`. */
export function expand(text: string, env: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^()]*)\)/g, (found, name: string | undefined) => {
    if (name === undefined) return "$";
    return env.get(name) ?? found;
  });
}

/** Containers are processes of this machine. They find its commands, and the Node that runs the lab. */
function searchPath(): string {
  const path = process.env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const own = dirname(process.execPath);
  return path.split(":").includes(own) ? path : `${path}:${own}`;
}
