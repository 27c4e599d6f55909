import { createInterface } from "node:readline";
import { messageOf } from "../../../agent/lib/errors.ts";
import { DnsServer } from "../dns/dns-server.ts";
import { DnsZone } from "../dns/dns-zone.ts";
import type { FromKubelet, ProbedContainer, ToKubelet } from "./kubelet-protocol.ts";
import { ProbeLoop } from "./probe-loop.ts";

/**
 * A node's kubelet and name server. It is a process of its own in the node's network and in the node's kubelet cgroup, so
 * that its probes come from the same place as a kubelet's. It ends with its standard input, and so with the supervisor.
 */
export async function runKubelet(addresses: readonly string[]): Promise<void> {
  let zone = new DnsZone([]);
  const loops = new Map<string, ProbeLoop>();
  const dns = new DnsServer(() => zone);
  try {
    for (const address of addresses) await dns.listen(address);
    report({ type: "serving" });
  } catch (error) {
    report({ type: "failed", message: messageOf(error) });
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line) as ToKubelet;
    if (message.type === "dns") zone = new DnsZone(message.services);
    else probe(loops, message.containers);
  }
  for (const loop of loops.values()) loop.stop();
  dns.close();
}

/** Probes exactly these containers. Running loops go on. */
function probe(loops: Map<string, ProbeLoop>, containers: readonly ProbedContainer[]): void {
  const idOf = ({ key, role }: ProbedContainer): string => `${key} ${role}`;
  const wanted = new Set(containers.map(idOf));
  for (const [id, loop] of loops) {
    if (wanted.has(id)) continue;
    loop.stop();
    loops.delete(id);
  }
  for (const container of containers) {
    const { key, role } = container;
    const id = idOf(container);
    if (loops.has(id)) continue;
    loops.set(id, new ProbeLoop(container, (result) => report({ type: "probe", key, role, ...result })));
  }
}

function report(message: FromKubelet): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
