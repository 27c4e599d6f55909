import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabPaths } from "../machine/lab-paths.ts";
import { hasIPv6 } from "../network/address-plan.ts";
import type { PodIdentity } from "./container-env.ts";

/** Writes the pod's own resolv.conf, hosts and nsswitch.conf, and returns their folder. */
export function writeEtcFiles(paths: LabPaths, pod: PodIdentity): string {
  const folder = join(paths.root, "pods", pod.uid, "etc");
  mkdirSync(folder, { recursive: true });
  const write = (name: string, lines: readonly string[]): void =>
    writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
  const { namespace, hostname, spec } = pod.plan;
  const { gateway } = pod.node.addresses;
  write("resolv.conf", [
    `search ${namespace}.svc.cluster.local svc.cluster.local cluster.local`,
    `nameserver ${gateway.ipv4}`,
    "options ndots:5",
  ]);
  const full = spec.subdomain === undefined ? "" : `${hostname}.${spec.subdomain}.${namespace}.svc.cluster.local\t`;
  write("hosts", [
    "127.0.0.1\tlocalhost",
    ...(hasIPv6() ? ["::1\tlocalhost ip6-localhost ip6-loopback"] : []),
    `${pod.addresses.ipv4}\t${full}${hostname}`,
    ...(pod.addresses.ipv6 === undefined ? [] : [`${pod.addresses.ipv6}\t${full}${hostname}`]),
  ]);
  if (existsSync("/etc/nsswitch.conf")) write("nsswitch.conf", nsswitch(readFileSync("/etc/nsswitch.conf", "utf8")));
  return folder;
}

/** The machine's own nsswitch.conf, but host names come from the pod's files and name server. */
function nsswitch(text: string): readonly string[] {
  const others = text.split("\n").filter((line) => line.trim() !== "" && !/^\s*hosts\s*:/.test(line));
  return [...others, "hosts: files dns"];
}
