import { familyOf, type IpFamily } from "../../../agent/lib/ip-address.ts";
import type { ServicePlan } from "./service-plan.ts";

/** An address that a Service asks for and does not get. */
export interface RefusedClusterIP {
  readonly service: ServicePlan;
  readonly address: string;
}

/**
 * Assigns clusterIPs from 10.96.0.0/16 and fd00:10:96::/112. A Service keeps its addresses for as long as it exists: as in a cluster,
 * no Service of another namespace gets one of them, whatever it asks for.
 */
export class ClusterIPs {
  #given = new Map<string, string>();
  #refused: readonly RefusedClusterIP[] = [];

  /** What was refused at the last `assign`. */
  get refused(): readonly RefusedClusterIP[] {
    return this.#refused;
  }

  /** Addresses of each Service, in the order of its families, by `namespace/name`. */
  assign(services: readonly ServicePlan[]): ReadonlyMap<string, readonly string[]> {
    const next = new Map<string, string>();
    /** The namespace that has an address. */
    const owners = new Map<string, string>();
    const refused: RefusedClusterIP[] = [];
    const wanted = services
      .filter(({ kind }) => kind === "ClusterIP")
      .flatMap((service) =>
        service.families.map((family) => {
          const asked = service.clusterIPs.findLast((address) => familyOf(address) === family);
          return { service, family, key: slot(service, family), asked };
        }),
      );
    const give = ({ key, service }: (typeof wanted)[number], address: string): void => {
      const owner = owners.get(address) ?? service.namespace;
      if (owner !== service.namespace) {
        refused.push({ service, address });
        return;
      }
      owners.set(address, owner);
      next.set(key, address);
    };
    // Services keep their addresses before others get theirs.
    for (const each of wanted) {
      const before = this.#given.get(each.key);
      if (before !== undefined && (each.asked ?? before) === before) give(each, before);
    }
    for (const each of wanted) if (!next.has(each.key) && each.asked !== undefined) give(each, each.asked);
    for (const each of wanted) {
      if (!next.has(each.key) && each.asked === undefined) give(each, firstFree(each.family, owners));
    }
    this.#given = next;
    this.#refused = refused;
    return new Map(
      services.map((service) => [
        `${service.namespace}/${service.name}`,
        service.families.map((family) => next.get(slot(service, family))).filter((address) => address !== undefined),
      ]),
    );
  }
}

function slot(service: ServicePlan, family: IpFamily): string {
  return `${service.namespace}/${service.name}/${family}`;
}

/** Clusters have the API server and DNS at the first addresses. */
const FIRST = 20;

function firstFree(family: IpFamily, taken: ReadonlyMap<string, string>): string {
  for (let number = FIRST; ; number++) {
    const address =
      family === 4 ? `10.96.${(number >> 8) & 255}.${number & 255}` : `fd00:10:96::${number.toString(16)}`;
    if (!taken.has(address)) return address;
  }
}
