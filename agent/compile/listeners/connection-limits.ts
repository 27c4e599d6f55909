import { FilterSchema, type Filter } from "../../xds/gen/envoy/config/listener/v3/listener_components_pb.ts";
import type { Listener } from "../../xds/gen/envoy/config/listener/v3/listener_pb.ts";
import { ConnectionLimitSchema } from "../../xds/gen/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.ts";
import { RuntimeSchema, type Runtime } from "../../xds/gen/envoy/service/runtime/v3/rtds_pb.ts";
import { any, create } from "../../xds/proto.ts";
import { RUNTIME } from "../../xds/snapshot.ts";

/**
 * How many connections each listener of a pod takes at a time. A connection costs Envoy about 22 kB and a descriptor, or
 * two. Without a limit, one pod's connections could take those of all others.
 */
export const DEFAULT_POD_CONNECTIONS = 4096;

/**
 * A worker takes one connection, then does what else waits (`max_connections_to_accept_per_socket_event`). Envoy's default
 * takes the whole queue of a listener first, so that a flood of one pod's connections holds up the calls of all others.
 */
export const ACCEPTED_AT_ONCE = 1;

/** The last result: a node with many pods has a thousand listeners, and they hardly change. */
export interface LimitMemory {
  last: { readonly key: string; readonly runtime: Runtime } | undefined;
}

/**
 * Envoy reads the limit of a listener in its runtime settings, under the listener's name. It closes connections beyond the
 * limit. It counts those of which it has seen no byte as well.
 */
export function connectionLimits(listeners: readonly Listener[], limit: number, memory: LimitMemory): Runtime {
  const names = listeners.filter(({ address }) => address !== undefined).map(({ name }) => name);
  const key = `${limit} ${names.toSorted().join()}`;
  if (memory.last?.key === key) return memory.last.runtime;
  const layer = Object.fromEntries(
    names.map((name) => [`envoy.resource_limits.listener.${name}.connection_limit`, limit]),
  );
  const runtime = create(RuntimeSchema, { name: RUNTIME, layer });
  memory.last = { key, runtime };
  return runtime;
}

/**
 * Callers that show no certificate get half of what a pod's listener takes, for HTTP and for other bytes each. So strangers
 * alone cannot keep out the pods of other nodes.
 */
export function strangersLimit(podConnections: number): Filter {
  return create(FilterSchema, {
    name: "envoy.filters.network.connection_limit",
    configType: {
      case: "typedConfig",
      value: any(ConnectionLimitSchema, {
        statPrefix: "strangers",
        maxConnections: BigInt(Math.ceil(podConnections / 2)),
      }),
    },
  });
}
