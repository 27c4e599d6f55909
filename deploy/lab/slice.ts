import { canonicalAddress, type AddressFamily } from "../../agent/objects/addresses.ts";
import { SERVICE_NAME_LABEL } from "../../agent/objects/endpoint-slice.ts";
import type { RawObject } from "../../agent/objects/raw-object.ts";
import type { Reader } from "../../agent/objects/reader.ts";

export interface SlicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string | undefined;
}

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly hostname: string | undefined;
  readonly node: string | undefined;
  readonly pod: { readonly name: string; readonly uid: string } | undefined;
}

/** An EndpointSlice: the lab's own, or one from the manifests. */
export interface Slice {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly family: AddressFamily;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

/** discovery.k8s.io/v1 EndpointSlice; undefined for one of host names, or of no Service: of those the agents tell. */
export function readSlice(root: Reader, object: RawObject): Slice | undefined {
  const family = root.field("addressType").raw;
  const service = root.field("metadata").field("labels").field(SERVICE_NAME_LABEL).raw;
  if ((family !== "IPv4" && family !== "IPv6") || typeof service !== "string") return undefined;
  return {
    namespace: object.namespace,
    name: object.name,
    service,
    family,
    ports: root.field("ports").list((entry) => {
      const port = entry.field("port").port();
      if (port === undefined) return undefined;
      return { name: entry.field("name").string() ?? "", port, protocol: entry.field("protocol").string() ?? "TCP" };
    }),
    endpoints: root.field("endpoints").list((entry) => ({
      addresses: entry
        .field("addresses")
        .list((field) => field.parsed(canonicalAddress, "an IP address", "Write an IPv4 or IPv6 address.")),
      ready: entry.field("conditions").field("ready").boolean() ?? true,
      terminating: entry.field("conditions").field("terminating").boolean() ?? false,
      hostname: entry.field("hostname").string(),
      node: entry.field("nodeName").string(),
      pod: undefined,
    })),
  };
}
