import { groupBy } from "../lib/group-by.ts";
import { namespacedName, type NamespacedName, type ObjectMeta } from "./meta.ts";

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly ready: boolean;
  /** "" where the slice does not say. */
  readonly node: string;
  /** Name of the Pod behind it, in the slice's namespace; undefined where there is none. */
  readonly pod: string | undefined;
}

export interface EndpointPort {
  /** The name of the Service's port it belongs to; "" for the only one. */
  readonly name: string;
  readonly port: number;
}

/** One EndpointSlice (discovery.k8s.io/v1) of addressType IPv4 or IPv6, its TCP ports. */
export interface EndpointSlice {
  readonly meta: ObjectMeta;
  /** Name of the Service (label kubernetes.io/service-name), in the slice's namespace. */
  readonly service: string;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** The slices of each Service. */
export function slicesByService(
  slices: readonly EndpointSlice[],
): ReadonlyMap<NamespacedName, readonly EndpointSlice[]> {
  return groupBy(slices, ({ meta, service }) => namespacedName(meta.namespace, service));
}
