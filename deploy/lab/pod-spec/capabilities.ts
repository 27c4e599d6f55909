/** The capabilities that containerd gives a container by default, as setpriv(1) spells them. */
const DEFAULT: readonly string[] = [
  ...["chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"],
  ...["net_bind_service", "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"],
];

/** Every capability of capabilities(7); Kubernetes writes them in capitals without `CAP_`. */
const KNOWN: ReadonlySet<string> = new Set([
  ...["chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"],
  ...["linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner"],
  ...["sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice"],
  ...["sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap"],
  ...["mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf"],
  "checkpoint_restore",
]);

/** `NET_ADMIN` and `CAP_NET_ADMIN` as `net_admin`; undefined for any other text. */
export function capabilityName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/^cap_/, "");
  return name === "all" || KNOWN.has(name) ? name : undefined;
}

/** The bounding set for `setpriv --bounding-set`: the default, less `drop`, plus `add` (names by capabilityName). */
export function boundingSet(add: readonly string[], drop: readonly string[]): string {
  const kept = drop.includes("all") ? [] : DEFAULT.filter((name) => !drop.includes(name));
  if (add.includes("all"))
    return ["+all", ...drop.filter((name) => name !== "all").map((name) => `-${name}`)].join(",");
  return ["-all", ...new Set([...kept, ...add])].map((name, index) => (index === 0 ? name : `+${name}`)).join(",");
}
