import type { Answer, Packet, Question } from "dns-packet";
import type { ResolvedService } from "../services/resolve-services.ts";

const DOMAIN = "cluster.local";
/** Seconds, as CoreDNS uses for Kubernetes. */
const TTL = 5;
/** Aliases of aliases can form a circle. */
const MAX_ALIASES = 8;

/** The names of one Service. */
export interface DnsService {
  readonly namespace: string;
  readonly name: string;
  /** Addresses of the Service; for a headless one, those of its endpoints. */
  readonly addresses: readonly string[];
  /** Endpoints that have a name of their own below the Service's. */
  readonly hosts: readonly { readonly hostname: string; readonly addresses: readonly string[] }[];
  /** Target of an ExternalName. */
  readonly alias: string | undefined;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

export function dnsService({ plan, clusterIPs, slices }: ResolvedService): DnsService {
  const ready = slices.flatMap(({ endpoints }) => endpoints.filter((endpoint) => endpoint.ready));
  const named = new Map<string, string[]>();
  for (const { hostname, addresses } of ready) {
    if (hostname !== undefined) named.set(hostname, [...(named.get(hostname) ?? []), ...addresses]);
  }
  return {
    namespace: plan.namespace,
    name: plan.name,
    addresses: plan.kind === "Headless" ? ready.flatMap(({ addresses }) => addresses) : clusterIPs,
    hosts: [...named].map(([hostname, addresses]) => ({ hostname, addresses })),
    alias: plan.kind === "ExternalName" ? plan.externalName : undefined,
    ports: plan.ports.map(({ name, port, transport }) => ({ name, port, protocol: transport })),
  };
}

/** Names of the cluster, as CoreDNS's kubernetes plugin serves them. */
export class DnsZone {
  readonly #services: ReadonlyMap<string, DnsService>;
  readonly #namespaces: ReadonlySet<string>;

  constructor(services: readonly DnsService[]) {
    this.#services = new Map(services.map((service) => [`${service.name}.${service.namespace}`, service]));
    this.#namespaces = new Set(services.map(({ namespace }) => namespace));
  }

  /** Names outside the cluster get NXDOMAIN at once: after REFUSED a resolver would ask again. */
  answer(question: Question): Pick<Packet, "answers" | "authorities"> & { readonly rcode: "NOERROR" | "NXDOMAIN" } {
    const name = question.name.toLowerCase().replace(/\.$/, "");
    const records = this.#records(name, question.name);
    if (records === undefined) return { rcode: "NXDOMAIN", answers: [], authorities: isOurs(name) ? [SOA] : [] };
    const type = question.type;
    const answers = records.filter((record) => record.type === type || record.type === "CNAME");
    return { rcode: "NOERROR", answers, authorities: answers.length === 0 ? [SOA] : [] };
  }

  /** All records of a name; undefined for an unknown name. `asked`: the name as written in the question. */
  #records(name: string, asked: string, depth = 0): Answer[] | undefined {
    if (name === DOMAIN || name === `svc.${DOMAIN}`) return [];
    if (!name.endsWith(`.svc.${DOMAIN}`)) return undefined;
    const labels = name.slice(0, -`.svc.${DOMAIN}`.length).split(".");
    if (labels.length === 1) return this.#namespaces.has(labels[0] ?? "") ? [] : undefined;
    const service = this.#services.get(labels.slice(-2).join("."));
    if (service === undefined) return undefined;
    const below = labels.slice(0, -2);
    const [first = "", second = ""] = below;
    if (below.length === 0) {
      if (service.alias !== undefined) return this.#follow(service.alias, asked, depth);
      const own = addressRecords(asked, service.addresses);
      // CoreDNS also answers NXDOMAIN for a headless Service without a ready endpoint.
      return own.length === 0 ? undefined : [...own, ...service.ports.map((port) => srv(asked, port.port, name))];
    }
    if (below.length === 1) {
      const host = service.hosts.find(({ hostname }) => hostname === first);
      return host === undefined ? undefined : addressRecords(asked, host.addresses);
    }
    const port = service.ports.find(
      (each) => `_${each.name}` === first && `_${each.protocol.toLowerCase()}` === second,
    );
    const target = `${service.name}.${service.namespace}.svc.${DOMAIN}`;
    return below.length === 2 && port !== undefined ? [srv(asked, port.port, target)] : undefined;
  }

  /** An alias with the records of its target, if that is in the cluster: resolvers do not ask again with the search list. */
  #follow(alias: string, asked: string, depth: number): Answer[] {
    const target = alias.toLowerCase().replace(/\.$/, "");
    const records = depth < MAX_ALIASES ? this.#records(target, target, depth + 1) : undefined;
    return [{ type: "CNAME", name: asked, ttl: TTL, data: target }, ...(records ?? [])];
  }
}

function isOurs(name: string): boolean {
  return name === DOMAIN || name.endsWith(`.${DOMAIN}`);
}

function addressRecords(name: string, addresses: readonly string[]): Answer[] {
  return addresses.map((data) => ({ type: data.includes(":") ? "AAAA" : "A", name, ttl: TTL, data }));
}

function srv(name: string, port: number, target: string): Answer {
  return { type: "SRV", name, ttl: TTL, data: { port, target, priority: 0, weight: 100 } };
}

/** Tells resolvers for how long they can cache that a name does not exist. */
const SOA: Answer = {
  type: "SOA",
  name: DOMAIN,
  ttl: TTL,
  data: {
    mname: `ns.dns.${DOMAIN}`,
    rname: `hostmaster.${DOMAIN}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: TTL,
  },
};
