import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  HeaderValueOptionSchema,
} from "../../xds/gen/envoy/config/core/v3/base_pb.ts";
import { create } from "../../xds/proto.ts";
import type { HeaderModifier, HeaderValue, RouteFilters } from "../../model/http-route.ts";

/** RequestHeaderModifier and ResponseHeaderModifier (Gateway API) as fields of Envoy's Route and ClusterWeight. */
export function headerModifiers({ requestHeaders: request, responseHeaders: response }: RouteFilters) {
  return {
    requestHeadersToAdd: additions(request),
    requestHeadersToRemove: [...(request?.remove ?? [])],
    responseHeadersToAdd: additions(response),
    responseHeadersToRemove: [...(response?.remove ?? [])],
  };
}

function additions(modifier: HeaderModifier | undefined) {
  if (modifier === undefined) return [];
  const option = (appendAction: AppendAction) => (header: HeaderValue) =>
    create(HeaderValueOptionSchema, {
      // "%" starts a command in Envoy's format strings.
      header: { key: header.name, value: header.value.replaceAll("%", "%%") },
      appendAction,
      keepEmptyValue: true,
    });
  return [
    ...modifier.set.map(option(AppendAction.OVERWRITE_IF_EXISTS_OR_ADD)),
    ...modifier.add.map(option(AppendAction.APPEND_IF_EXISTS_OR_ADD)),
  ];
}
