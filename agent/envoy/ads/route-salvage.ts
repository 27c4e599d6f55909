import {
  RouteSchema,
  VirtualHostSchema,
  type VirtualHost,
} from "../../xds/gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema, type RouteConfiguration } from "../../xds/gen/envoy/config/route/v3/route_pb.ts";
import { create, fromBinary, toBinary } from "../../xds/proto.ts";
import { pack, type PackedResource } from "./resources.ts";

/** After so many virtual hosts that Envoy refuses, all that is not known to be good counts as refused. */
const MAX_BAD = 32;

/**
 * Finds what Envoy accepts of a route table that it refused. All Services share the table, so one virtual host that Envoy refuses
 * would take the changes of all others. The virtual hosts that have changed are tried in halves, beside what Envoy has. A virtual
 * host that is refused keeps the version that Envoy has; a new one answers 500, as an HTTPRoute without valid backends does.
 */
export class RouteSalvage {
  /** Of the refused table. */
  readonly #version: string;
  readonly #wanted: RouteConfiguration;
  readonly #old: ReadonlyMap<string, VirtualHost>;
  readonly #unchanged: ReadonlySet<string>;
  readonly #good = new Set<string>();
  readonly #bad = new Set<string>();
  /** Groups of names that are still to be tried. */
  readonly #groups: (readonly string[])[];
  #candidate: PackedResource;

  private constructor(version: string, wanted: RouteConfiguration, accepted: RouteConfiguration | undefined) {
    this.#version = version;
    this.#wanted = wanted;
    this.#old = new Map((accepted?.virtualHosts ?? []).map((host) => [host.name, host]));
    const isUnchanged = (host: VirtualHost): boolean => isSame(host, this.#old.get(host.name));
    this.#unchanged = new Set(wanted.virtualHosts.filter(isUnchanged).map(({ name }) => name));
    const names = wanted.virtualHosts.map(({ name }) => name);
    this.#groups = [names.filter((name) => !this.#unchanged.has(name))];
    this.#candidate = this.#next();
  }

  /** undefined for what is no route table. */
  static of(wanted: PackedResource, accepted: PackedResource | undefined): RouteSalvage | undefined {
    try {
      const message = decode(wanted);
      return new RouteSalvage(wanted.version, message, accepted === undefined ? undefined : decode(accepted));
    } catch {
      return undefined;
    }
  }

  /** What to send in place of the table. */
  get candidate(): PackedResource {
    return this.#candidate;
  }

  /** Names of the virtual hosts that Envoy refuses. */
  get refused(): readonly string[] {
    return [...this.#bad];
  }

  /** Envoy's answer to a candidate. */
  answered(version: string, isAccepted: boolean): void {
    const group = this.#groups[0];
    if (version !== this.#candidate.version || group === undefined) return;
    if (isAccepted) for (const name of this.#groups.shift() ?? []) this.#good.add(name);
    else this.#split();
    this.#candidate = this.#next();
  }

  #split(): void {
    const group = this.#groups.shift() ?? [];
    if (group.length > 1) this.#groups.unshift(...halves(group));
    else for (const name of group) this.#bad.add(name);
    if (this.#bad.size >= MAX_BAD) for (const name of this.#groups.splice(0).flat()) this.#bad.add(name);
  }

  #next(): PackedResource {
    for (;;) {
      const next = this.#make();
      // What equals the refused table needs no trial.
      if (next.version !== this.#version || this.#groups.length === 0) return next;
      this.#split();
    }
  }

  #make(): PackedResource {
    const trial = new Set(this.#groups[0]);
    const virtualHosts = this.#wanted.virtualHosts.flatMap((host): readonly VirtualHost[] => {
      const { name } = host;
      if (this.#good.has(name) || trial.has(name) || this.#unchanged.has(name)) return [host];
      const old = this.#old.get(name);
      if (old !== undefined) return [old];
      return this.#bad.has(name) ? [invalid(host)] : [];
    });
    const { name } = this.#wanted;
    return pack("routes", name, create(RouteConfigurationSchema, { ...this.#wanted, virtualHosts }));
  }
}

function isSame(host: VirtualHost, old: VirtualHost | undefined): boolean {
  return old !== undefined && Buffer.from(toBinary(VirtualHostSchema, old)).equals(toBinary(VirtualHostSchema, host));
}

function decode({ body }: PackedResource): RouteConfiguration {
  return fromBinary(RouteConfigurationSchema, body.value);
}

function halves(names: readonly string[]): readonly (readonly string[])[] {
  const middle = Math.ceil(names.length / 2);
  return [names.slice(0, middle), names.slice(middle)].filter((half) => half.length > 0);
}

function invalid(host: VirtualHost): VirtualHost {
  const answer = create(RouteSchema, {
    match: { pathSpecifier: { case: "prefix", value: "" } },
    action: { case: "directResponse", value: { status: 500 } },
  });
  return create(VirtualHostSchema, { ...host, routes: [answer] });
}
