import { AddressSchema, SocketAddressSchema } from "../../xds/gen/envoy/config/core/v3/address_pb.ts";
import { create } from "../../xds/proto.ts";

export const LOOPBACK = { 4: "127.0.0.1", 6: "::1" } as const;

/**
 * Listener.freebind (IP_FREEBIND and IPV6_FREEBIND, ip(7)). In clusters with IPv4 alone, container runtimes turn IPv6
 * off in pods: ::1 does not exist there, and Envoy would refuse the whole listener.
 */
export const LOOPBACK_MAY_LACK = true;

/** An address inside a pod's network namespace; Envoy needs CAP_SYS_ADMIN to open a socket there. */
export function podAddress(netns: string, address: string, port: number) {
  return create(AddressSchema, {
    address: {
      case: "socketAddress",
      value: create(SocketAddressSchema, {
        address,
        portSpecifier: { case: "portValue", value: port },
        networkNamespaceFilepath: netns,
      }),
    },
  });
}
