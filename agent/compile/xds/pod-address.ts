import { AddressSchema, SocketAddressSchema } from "../../xds/gen/envoy/config/core/v3/address_pb.ts";
import { create } from "../../xds/proto.ts";

export const LOOPBACK = { 4: "127.0.0.1", 6: "::1" } as const;

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
