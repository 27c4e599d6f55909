import { familyOf, type IpFamily } from "../../../agent/lib/ip-address.ts";
import type { ServicePlan } from "./service-plan.ts";

/** Assigns clusterIPs from 10.96.0.0/16 and fd00:10:96::/112. A Service keeps its addresses for as long as it exists. */
export class ClusterIPs {
  #given = new Map<string, string>();

  /** Addresses of each Service, in the order of its families, by `namespace/name`. */
  assign(services: readonly ServicePlan[]): ReadonlyMap<string, readonly string[]> {
    const served = services.filter(({ kind }) => kind === "ClusterIP");
    const asked = served.flatMap((service) =>
      service.clusterIPs.map((address) => [slot(service, familyOf(address)), address] as const),
    );
    const next = new Map<string, string>(asked);
    const taken = new Set(next.values());
    const wanted = served.flatMap((service) =>
      service.families.map((family) => ({ key: slot(service, family), family })),
    );
    // Services keep their addresses before new Services get theirs.
    for (const { key } of wanted) {
      const before = this.#given.get(key);
      if (next.has(key) || before === undefined || taken.has(before)) continue;
      next.set(key, before);
      taken.add(before);
    }
    for (const { key, family } of wanted) {
      if (next.has(key)) continue;
      const address = firstFree(family, taken);
      next.set(key, address);
      taken.add(address);
    }
    this.#given = next;
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

function firstFree(family: IpFamily, taken: ReadonlySet<string>): string {
  for (let number = FIRST; ; number++) {
    const address =
      family === 4 ? `10.96.${(number >> 8) & 255}.${number & 255}` : `fd00:10:96::${number.toString(16)}`;
    if (!taken.has(address)) return address;
  }
}
