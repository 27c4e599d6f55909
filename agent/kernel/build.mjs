// Compiles the eBPF programs: node agent/kernel/build.mjs [OUTPUT-DIRECTORY]. It is plain JavaScript, so that it runs before
// anything is built. The compiler comes with PyPI's `ziglang` wheel, of one fixed version, and so do the kernel's UAPI headers:
// the result has the same bytes on any machine. AMBIT_ZIG may name a folder with the wheel's `ziglang` contents.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { strip } from "./strip.mjs";

const ZIG_VERSION = "0.16.0";
/** Sources, from the root of the checkout; each object lies where its entry says, from the root, too. */
const OBJECTS = [
  { source: "agent/kernel/c/ambit.bpf.c", object: "agent/kernel/ambit.bpf.o" },
  { source: "deploy/lab/kube-proxy/lab-kube-proxy.bpf.c", object: "deploy/lab/kube-proxy/lab-kube-proxy.bpf.o" },
];
const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

function zigFolder() {
  if (process.env.AMBIT_ZIG) return process.env.AMBIT_ZIG;
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "ambit");
  const folder = join(cache, `ziglang-${ZIG_VERSION}`);
  if (existsSync(join(folder, "ziglang", "zig"))) return join(folder, "ziglang");
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, "ziglang-"));
  const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"];
  execFileSync("python3", [...pip, "--target", fresh, `ziglang==${ZIG_VERSION}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Another process was faster, with the same files.
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(join(folder, "ziglang", "zig"))) throw error;
  }
  return join(folder, "ziglang");
}

function compile(zig, source, work) {
  const object = join(work, "object.o");
  const headers = join(zig, "lib", "libc", "include");
  const flags = ["-target", "bpfel-freestanding", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-c"];
  const include = ["-I", "agent/kernel/c", "-I", join(headers, "any-linux-any"), "-I", join(headers, "x86-linux-any")];
  // The compiler writes paths into the debug information, and makes BTF of that: paths must not depend on the machine.
  const paths = [`-ffile-prefix-map=${root}=.`, `-ffile-prefix-map=${zig}=zig`, "-fdebug-compilation-dir=."];
  execFileSync(join(zig, "zig"), ["cc", ...flags, ...paths, ...include, source, "-o", object], {
    cwd: root,
    env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(work, "cache"), ZIG_LOCAL_CACHE_DIR: join(work, "cache") },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return strip(readFileSync(object));
}

const output = process.argv[2];
const work = mkdtempSync(join(tmpdir(), "ambit-bpf-"));
try {
  const zig = zigFolder();
  for (const { source, object } of OBJECTS) {
    const target = output === undefined ? join(root, object) : join(output, basename(object));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, compile(zig, source, work));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
