import { closeSync } from "node:fs";
import { attachProgram } from "../../../agent/kernel/loader/pinned-links.ts";
import { BpfMap, raw } from "../../../agent/kernel/loader/bpf-map.ts";
import { createMaps, loadPrograms, mapOf, readObject } from "../../../agent/kernel/loader/object.ts";
import { addressBytes } from "../../../agent/kernel/maps/address.ts";

/** A Service's address and port, and the endpoints for connections to it. */
export interface LoadBalancedPort {
  readonly address: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly backends: readonly { readonly address: string; readonly port: number }[];
}

/** The load balancer of one node. It lives as long as the process that opened it. */
export interface ServiceLb {
  /** Replaces all earlier ports. Established connections stay. A port without backends refuses connections. */
  setServices(ports: readonly LoadBalancedPort[]): void;
  close(): void;
}

const PROTOCOLS = { tcp: 6, udp: 17 } as const;

/** Attaches to a cgroup v2 directory: processes in it and below reach Services by TCP and UDP. */
export function openServiceLb({ cgroup }: { readonly cgroup: string }): ServiceLb {
  const object = readObject("deploy/lab/kube-proxy/lab-kube-proxy.bpf.o");
  const maps = createMaps(object, new Map());
  const programs = loadPrograms(object, maps);
  const links = [...programs.values()].map((program) => attachProgram(program, { cgroup }));
  for (const { fd } of programs.values()) closeSync(fd);
  const services = new BpfMap(mapOf(maps, "services"), raw(20), raw(8));
  const backends = new BpfMap(mapOf(maps, "backends"), raw(8), raw(20));
  const current = new Map<string, { readonly id: number; readonly count: number; readonly content: string }>();
  let lastId = 0;

  const forget = (id: number, count: number): void => {
    for (let index = 0; index < count; index++) backends.delete(pair(id, index));
  };
  return {
    setServices(ports) {
      const wanted = new Map(ports.map((port) => [frontKey(port).toString("hex"), port]));
      for (const [key, { id, count }] of current) {
        if (wanted.has(key)) continue;
        services.delete(Buffer.from(key, "hex"));
        forget(id, count);
        current.delete(key);
      }
      for (const [key, port] of wanted) {
        const content = JSON.stringify(port.backends);
        const old = current.get(key);
        if (old?.content === content) continue;
        const id = ++lastId;
        port.backends.forEach((backend, index) => backends.set(pair(id, index), endpointValue(backend)));
        services.set(Buffer.from(key, "hex"), pair(id, port.backends.length));
        current.set(key, { id, count: port.backends.length, content });
        if (old !== undefined) forget(old.id, old.count);
      }
    },
    close() {
      for (const fd of [...links, ...maps.values()]) closeSync(fd);
    },
  };
}

/** struct front */
function frontKey({ address, port, protocol }: LoadBalancedPort): Buffer {
  const bytes = endpointValue({ address, port });
  bytes.writeUInt16LE(PROTOCOLS[protocol], 18);
  return bytes;
}

/** struct backend */
function endpointValue({ address, port }: { readonly address: string; readonly port: number }): Buffer {
  const bytes = Buffer.alloc(20);
  addressBytes(address).copy(bytes);
  bytes.writeUInt16LE(port, 16);
  return bytes;
}

/** struct service, struct backend_key */
function pair(first: number, second: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(first);
  bytes.writeUInt32LE(second, 4);
  return bytes;
}
