import { readdirSync, readFileSync } from "node:fs";

/** CPU time that processes have used so far, all their threads, in µs (schedstat counts in ns; /proc/PID/stat in 10 ms). */
export function cpuMicroseconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
}

function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const [onCpu = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return sum + Number(onCpu) / 1000;
  }, 0);
}

/** Memory that processes hold, in MB. */
export function memoryMegabytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const [, kilobytes = "0"] = /^VmRSS:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return sum + Number(kilobytes) / 1024;
  }, 0);
}
