import { closeSync } from "node:fs";
import { constants } from "node:os";
import koffi from "koffi";
import type { IpFamily } from "../../lib/ip-address.ts";

/** A failed system call. `code` is the name of the errno, as in Node's own errors. */
export class SystemCallError extends Error {
  readonly code: string;
  readonly errno: number;

  constructor(call: string, errno: number) {
    const name = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
    super(`${call}: ${name}`);
    this.name = "SystemCallError";
    this.code = name;
    this.errno = errno;
  }
}

const NR_BPF: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;
const SO_ATTACH_FILTER = 26;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const CLONE_NEWNET = 0x40000000;

/** AF_INET and AF_INET6, by family. */
export const ADDRESS_FAMILIES: Readonly<Record<IpFamily, number>> = { 4: 2, 6: 10 };

// The symbols of the running process: Node is linked with a C library.
const libc = koffi.load(null);
const syscall = libc.func("long syscall(long number, long command, void *attributes, long size)");
const libcSetns = libc.func("int setns(int fd, int type)");
const libcSocket = libc.func("int socket(int domain, int type, int protocol)");
const libcGetsockopt = libc.func(
  "int getsockopt(int fd, int level, int name, _Out_ uint64_t *value, _Inout_ uint32_t *size)",
);
const libcSetsockopt = libc.func("int setsockopt(int fd, int level, int name, void *value, uint32_t size)");
const libcBind = libc.func("int bind(int fd, void *address, uint32_t size)");
const libcListen = libc.func("int listen(int fd, int backlog)");
const libcSend = libc.func("long send(int fd, void *data, size_t size, int flags)");
const libcRecv = libc.func("long recv(int fd, void *data, size_t size, int flags)");
const libcMount = libc.func(
  "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)",
);
const libcUmount2 = libc.func("int umount2(const char *target, int flags)");

function checked(call: string, result: unknown): number {
  const value = Number(result);
  if (value < 0) throw new SystemCallError(call, koffi.errno());
  return value;
}

/** The address of a buffer's bytes, for structures that hold pointers. The buffer has to outlive the call. */
export function addressOf(buffer: Buffer): bigint {
  return buffer.length === 0 ? 0n : koffi.address(buffer);
}

/** bpf(2). `what` names the call in errors. Returns the kernel's result: a file descriptor where the command makes one. */
export function bpf(command: number, attributes: Buffer, what: string): number {
  const number = NR_BPF[process.arch];
  if (number === undefined) throw new SystemCallError(`bpf on ${process.arch}`, constants.errno.ENOSYS);
  return checked(`bpf ${what}`, syscall(number, command, attributes, attributes.length));
}

/** Moves the calling thread, and no other, into the network namespace that is open as `fd`. */
export function setNetns(fd: number): void {
  checked("setns", libcSetns(fd, CLONE_NEWNET));
}

/** The cookie of the calling thread's network namespace: a number that no other one gets until the machine restarts. */
export function currentNetnsCookie(): bigint {
  const fd = checked("socket", libcSocket(ADDRESS_FAMILIES[4], SOCK_STREAM | SOCK_CLOEXEC, 0));
  try {
    const value: [bigint | number] = [0];
    checked("getsockopt SO_NETNS_COOKIE", libcGetsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, value, [8]));
    return BigInt(value[0]);
  } finally {
    closeSync(fd);
  }
}

/** sockaddr_in of 127.0.0.1 and sockaddr_in6 of ::1, with port 0: the kernel chooses one. */
function loopbackAddress(family: IpFamily): Buffer {
  const address = Buffer.alloc(family === 4 ? 16 : 28);
  address.writeUInt16LE(ADDRESS_FAMILIES[family]);
  if (family === 4) address.writeUInt32BE(0x7f000001, 4);
  else address.writeUInt8(1, 23);
  return address;
}

/**
 * A TCP socket that listens on a loopback port, and that sees only those packets that the classic BPF program `filter`
 * (struct sock_filter, one after the other) lets through.
 */
export function openFilteredListener(family: IpFamily, filter: Buffer): number {
  const fd = checked("socket", libcSocket(ADDRESS_FAMILIES[family], SOCK_STREAM | SOCK_CLOEXEC, 0));
  try {
    // struct sock_fprog
    const program = Buffer.alloc(16);
    program.writeUInt16LE(filter.length / 8);
    program.writeBigUInt64LE(addressOf(filter), 8);
    checked("setsockopt SO_ATTACH_FILTER", libcSetsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length));
    const address = loopbackAddress(family);
    checked("bind", libcBind(fd, address, address.length));
    checked("listen", libcListen(fd, 1));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A NETLINK_ROUTE socket of the calling thread's network namespace. */
export function openRouteSocket(): number {
  return checked("socket AF_NETLINK", libcSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

/** send(2): the whole message. */
export function send(fd: number, message: Buffer): void {
  checked("send", libcSend(fd, message, message.length, 0));
}

/** recv(2): waits for one message of at most 32 KiB. */
export function receive(fd: number): Buffer {
  const buffer = Buffer.alloc(32_768);
  return buffer.subarray(0, checked("recv", libcRecv(fd, buffer, buffer.length, 0)));
}

/** mount(2) of a file system without a device. */
export function mount(type: string, target: string, data: string): void {
  checked(`mount ${target}`, libcMount(type, target, type, 0, data));
}

/** umount2(2). */
export function unmount(target: string): void {
  checked(`umount ${target}`, libcUmount2(target, 0));
}
