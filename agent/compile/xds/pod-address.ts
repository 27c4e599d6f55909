import { AddressSchema, SocketAddressSchema } from "../../xds/gen/envoy/config/core/v3/address_pb.ts";
import { create } from "../../xds/proto.ts";

/** An address inside a pod's network namespace; Envoy needs CAP_SYS_ADMIN to open a socket there. */
export function podAddress(netns: string, address: string, port: number, ipv4Compat = false) {
  return create(AddressSchema, {
    address: {
      case: "socketAddress",
      value: create(SocketAddressSchema, {
        address,
        portSpecifier: { case: "portValue", value: port },
        networkNamespaceFilepath: netns,
        ipv4Compat,
      }),
    },
  });
}
