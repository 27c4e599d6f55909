import { ApiVersion, ConfigSourceSchema } from "../xds/gen/envoy/config/core/v3/config_source_pb.ts";
import { create } from "../xds/proto.ts";

/** "Ask for it on the stream that this came by." */
export function ads() {
  return create(ConfigSourceSchema, {
    configSourceSpecifier: { case: "ads", value: {} },
    resourceApiVersion: ApiVersion.V3,
  });
}
