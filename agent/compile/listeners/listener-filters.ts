import {
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
  type ListenerFilter,
} from "../../xds/gen/envoy/config/listener/v3/listener_components_pb.ts";
import { HttpInspectorSchema } from "../../xds/gen/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.ts";
import { OriginalDstSchema } from "../../xds/gen/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.ts";
import { OriginalSrcSchema } from "../../xds/gen/envoy/extensions/filters/listener/original_src/v3/original_src_pb.ts";
import { TlsInspectorSchema } from "../../xds/gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts";
import { DELIVERY_MARK } from "../../lib/ports.ts";
import { any, create } from "../../xds/proto.ts";

/** Restores the original destination of a connection from SO_ORIGINAL_DST, which the kernel programs answer. */
export function originalDst(): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.original_dst",
    configType: { case: "typedConfig", value: any(OriginalDstSchema) },
  });
}

/**
 * Binds the upstream socket to the caller's address (IP_TRANSPARENT). The mark routes its answers back to this network
 * namespace.
 */
export function originalSrc(): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.original_src",
    configType: { case: "typedConfig", value: any(OriginalSrcSchema, { mark: DELIVERY_MARK }) },
  });
}

/** Detects HTTP from the first bytes, except on ports where the protocol is known: a server may speak first there. */
export function httpInspector(exceptPorts: readonly number[]): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.http_inspector",
    configType: { case: "typedConfig", value: any(HttpInspectorSchema) },
    ...disabledOn(exceptPorts),
  });
}

/** Detects TLS from the first bytes, and reads the protocols that it offers by ALPN. */
export function tlsInspector(exceptPorts: readonly number[]): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.tls_inspector",
    configType: { case: "typedConfig", value: any(TlsInspectorSchema) },
    ...disabledOn(exceptPorts),
  });
}

function disabledOn(ports: readonly number[]) {
  const predicates = ports.map((port) =>
    create(ListenerFilterChainMatchPredicateSchema, {
      rule: { case: "destinationPortRange", value: { start: port, end: port + 1 } },
    }),
  );
  const [first, ...rest] = predicates;
  if (first === undefined) return {};
  if (rest.length === 0) return { filterDisabled: first };
  const anyOf = { rule: { case: "orMatch" as const, value: { rules: predicates } } };
  return { filterDisabled: create(ListenerFilterChainMatchPredicateSchema, anyOf) };
}
