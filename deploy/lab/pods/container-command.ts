import { cgroupRoot } from "../machine/cgroup.ts";
import { labsDir } from "../machine/lab-paths.ts";
import { boundingSet } from "../pod-spec/capabilities.ts";
import type { ContainerSpec } from "../pod-spec/container-spec.ts";
import type { BindMount } from "./volumes.ts";

/** Where a container's processes run. */
export interface ContainerPlace {
  readonly cgroup: string;
  readonly netns: string;
  /** Folder with the files that replace those in /etc. */
  readonly etc: string;
  readonly hostname: string;
}

/** What the container sees instead of the machine's own files. */
export type Mounts = readonly BindMount[];

/** Files of /etc that each container has of its own: they decide how names resolve. */
export const ETC_FILES = ["resolv.conf", "hosts", "nsswitch.conf"] as const;

/** Network namespaces by their names; ip-netns(8) makes the folder. */
const NETNS_FOLDER = "/run/netns";

/**
 * Each step replaces the one before it (exec), so that the first process becomes the container's own. Mounts propagate from
 * the machine into the container and not back: otherwise a container would keep removed network namespaces alive.
 *
 * Containers share the machine's files. What belongs to the mesh is hidden after the volumes are mounted, which lie in the
 * same folder: the labs' keys, tokens and sockets, and the network namespaces. Of the cgroups a container sees its own alone: a
 * process that entered the kubelet's would pass as its probes, and CAP_BPF attaches programs to a cgroup that can be opened.
 * To undo that takes CAP_SYS_ADMIN.
 */
const START = `
echo 0 > "$1/cgroup.procs"
netns=$2 etc=$3 hostname=$4 mounts=$5 labs=$6 cgroups=$7
shift 7
exec nsenter --net="$netns" -- unshare --mount --uts --cgroup --propagation slave -- sh -ec '
  echo "$2" > /proc/sys/kernel/hostname
  for file in ${ETC_FILES.join(" ")}; do
    if [ -e "$1/$file" ] && [ -e "/etc/$file" ]; then mount --bind "$1/$file" "/etc/$file"; fi
  done
  printf "%s" "$3" | while read -r source target mode; do
    mount --bind "$source" "$target"
    if [ "$mode" = ro ]; then mount -o remount,bind,ro "$target"; fi
  done
  for folder in "$4" ${NETNS_FOLDER} "$5"; do
    if [ -e "$folder" ]; then mount -t tmpfs -o ro,mode=0555 hidden "$folder"; fi
  done
  mount -t cgroup2 -o ro own "$5"
  cd "$6"
  shift 6
  exec "$@"' start "$etc" "$hostname" "$mounts" "$labs" "$cgroups" "$@"`;

const JOIN = `
echo 0 > "$1/cgroup.procs"
pid=$2
shift 2
exec nsenter --target "$pid" --net --mount --uts --cgroup -- sh -ec 'cd "$1"; shift; exec "$@"' join "$@"`;

/** Arguments of /bin/sh that start a container's first process. */
export function startCommand(
  place: ContainerPlace,
  spec: ContainerSpec,
  env: ReadonlyMap<string, string>,
  command: readonly string[],
  mounts: Mounts,
): readonly string[] {
  const { cgroup, netns, etc, hostname } = place;
  const lines = mounts
    .map(({ source, target, readOnly }) => `${source} ${target} ${readOnly ? "ro" : "rw"}\n`)
    .join("");
  return [
    "-ec",
    START,
    "start",
    cgroup,
    netns,
    etc,
    hostname,
    lines,
    labsDir(),
    cgroupRoot(),
    spec.workingDir,
    ...confined(spec, env),
    ...command,
  ];
}

/**
 * Arguments of /bin/sh that run a command beside the container's first process `pid`, under the same restrictions: append the
 * command.
 */
export function joinCommand(
  cgroup: string,
  pid: number,
  spec: ContainerSpec,
  env: ReadonlyMap<string, string>,
): readonly string[] {
  return ["-ec", JOIN, "join", cgroup, String(pid), spec.workingDir, ...confined(spec, env)];
}

/** The environment comes last, so that the commands before it are found by the machine's own PATH. */
function confined(spec: ContainerSpec, env: ReadonlyMap<string, string>): readonly string[] {
  const user =
    spec.user === undefined ? [] : [`--reuid=${spec.user.uid}`, `--regid=${spec.user.gid}`, "--clear-groups"];
  return [
    ...["setpriv", `--bounding-set=${boundingSet(spec.capabilities.add, spec.capabilities.drop)}`, "--inh-caps=-all"],
    ...user,
    ...(spec.noNewPrivileges ? ["--no-new-privs"] : []),
    ...["--", "env", "-i", "--"],
    ...[...env].map(([name, value]) => `${name}=${value}`),
  ];
}
