import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { findEnvoy } from "../envoy/find-envoy.ts";
import { describe } from "../lib/errors.ts";
import { tryExec } from "../lib/exec.ts";

/** One thing that Ambit needs of the machine. */
export interface MachineCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do; "" where it is as it should be. */
  readonly remedy: string;
}

/** sk_lookup came with 5.9; a sock_ops program may ask for its netns cookie since 5.18. */
const MIN_KERNEL = [5, 18] as const;
/** Bits of CapEff (capability.h), and the reason why Ambit needs each. */
const CAPABILITIES = [
  { name: "CAP_NET_ADMIN", bit: 12n, use: "policy routes and sk_lookup in pods' network namespaces" },
  { name: "CAP_SYS_ADMIN", bit: 21n, use: "entering pods' network namespaces" },
  { name: "CAP_BPF", bit: 39n, use: "loading the eBPF programs" },
] as const;
const TOOLS = ["ip", "nsenter", "unshare", "setpriv"] as const;

export async function checkMachine(): Promise<readonly MachineCheck[]> {
  return [kernel(), ...capabilities(), cgroup2(), ...(await Promise.all(TOOLS.map(tool))), await envoy()];
}

function check(name: string, ok: boolean, found: string, remedy: string): MachineCheck {
  return { name, ok, found, remedy: ok ? "" : remedy };
}

function kernel(): MachineCheck {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const ok = major > MIN_KERNEL[0] || (major === MIN_KERNEL[0] && minor >= MIN_KERNEL[1]);
  return check("kernel", ok, `Linux ${release()}`, `use Linux ${MIN_KERNEL.join(".")} or newer`);
}

function capabilities(): readonly MachineCheck[] {
  const hex = /^CapEff:\s*([0-9a-f]+)$/mu.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const effective = BigInt(`0x${hex}`);
  return CAPABILITIES.map(({ name, bit, use }) => {
    const ok = ((effective >> bit) & 1n) === 1n;
    return check(name, ok, ok ? "held" : "not held", `run as root: it is needed for ${use}`);
  });
}

function cgroup2(): MachineCheck {
  const root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => existsSync(`${path}/cgroup.controllers`));
  return check(
    "cgroup v2",
    root !== undefined,
    root ?? "not mounted",
    "mount it: mount -t cgroup2 none /sys/fs/cgroup",
  );
}

async function tool(name: string): Promise<MachineCheck> {
  const { code, stdout } = await tryExec("/bin/sh", ["-c", `command -v ${name}`]);
  const pack = name === "ip" ? "iproute2" : "util-linux";
  return check(name, code === 0, code === 0 ? stdout.trim() : "not on PATH", `install ${pack}`);
}

async function envoy(): Promise<MachineCheck> {
  try {
    const found = await findEnvoy();
    if (found !== undefined) return check("envoy", true, `${found.version} at ${found.path}`, "");
    const { code } = await tryExec("python3", ["-m", "pip", "--version"]);
    const remedy = "install Python 3 with pip, so that Envoy can be fetched, or set AMBIT_ENVOY to an Envoy 1.40";
    return check("envoy", code === 0, "none yet: fetched by pip when an agent first starts", remedy);
  } catch (error) {
    return check("envoy", false, describe(error), "see above");
  }
}
