import { dirname } from "node:path";
import type { ContainerSpec, EnvField } from "./container-spec.ts";

/** What a container may ask to be told of its pod. */
export type PodFacts = Readonly<Record<EnvField, string>> & { readonly hostname: string };

/** A container's whole environment, in the order in which Kubernetes builds it. */
export function containerEnv(spec: ContainerSpec, facts: PodFacts): ReadonlyMap<string, string> {
  const env = new Map([
    ["PATH", searchPath()],
    ["HOME", spec.user === undefined || spec.user.uid === 0 ? "/root" : "/"],
    ["HOSTNAME", facts.hostname],
  ]);
  for (const { name, from } of spec.env) {
    env.set(name, "field" in from ? facts[from.field] : expand(from.value, env));
  }
  return env;
}

/** `command` and `args` as they are run. */
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

/** Containers are this machine's processes: they find the commands that it has, and the Node that runs the lab. */
function searchPath(): string {
  const path = process.env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const own = dirname(process.execPath);
  return path.split(":").includes(own) ? path : `${path}:${own}`;
}
