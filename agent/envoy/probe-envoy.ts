import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { tryExec } from "../lib/exec.ts";

/** The version of an Envoy binary, or the reason why a file is no Envoy. */
export type Probe = { readonly version: string } | { readonly why: string };

const TIMEOUT_MS = 10_000;
/** `e_machine` of ELF files (elf(5)), and Node's name of that architecture. */
const MACHINES: Readonly<Record<number, string>> = { 62: "x64", 183: "arm64", 40: "arm", 243: "riscv64" };

export async function probeEnvoy(path: string, timeoutMs: number = TIMEOUT_MS): Promise<Probe> {
  const missing = cannotRun(path);
  if (missing !== undefined) return { why: missing };
  const { code, stdout, stderr } = await tryExec(path, ["--version"], { timeoutMs });
  const version = /version: [0-9a-f]+\/([0-9.]+)/u.exec(stdout)?.[1];
  if (version !== undefined && code === 0) return { version };
  if (code === 124) return { why: `'${path} --version' did not end within ${timeoutMs / 1000} s` };
  // The C library runs a file that the kernel rejects as a shell script, with misleading results.
  const unfit = code === 0 ? undefined : notForThisMachine(path);
  if (unfit !== undefined) return { why: unfit };
  if (stderr.includes("ENOENT")) return { why: "its interpreter or loader is missing" };
  const said = `${stderr}\n${stdout}`.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
  if (code !== 0) return { why: `'${path} --version' failed with exit code ${code}${said && `: ${said}`}` };
  return { why: `'${path} --version' printed no version of Envoy${said && `, but: ${said}`}` };
}

/** The reason why a file cannot be started; undefined if it can. */
function cannotRun(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return "it is not a file";
  } catch {
    return "there is no such file";
  }
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return "it is not executable";
  }
}

/** The reason why the kernel cannot run a file; undefined if it can. */
function notForThisMachine(path: string): string | undefined {
  const header = Buffer.alloc(20);
  const file = openSync(path, "r");
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  const magic = header.toString("latin1", 0, 4);
  if (magic.startsWith("#!")) return undefined;
  if (magic !== "\x7fELF") return "it is not a program for this machine";
  const machine = MACHINES[header.readUInt16LE(18)] ?? "another architecture";
  return machine === process.arch ? undefined : `it is built for ${machine}, and this machine is ${process.arch}`;
}
