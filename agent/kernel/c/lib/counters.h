/*
 * The programs count their decisions, on each CPU. The numbers are part of the pinned state: a number never changes its
 * meaning, and new ones go to the end. agent/kernel/maps/counters.ts names them in the same order; a test compares the two.
 */
#ifndef AMBIT_COUNTERS_H
#define AMBIT_COUNTERS_H

#include "helpers.h"

enum counter {
	/* A pod's connection was sent to one of its outbound listeners. */
	COUNT_OUTBOUND_CAPTURED = 0,
	/* A pod's connection goes to a destination that is not captured: left alone. */
	COUNT_OUTBOUND_LEFT_ALONE = 1,
	/* A process dialled one of the reserved ports in its own pod: refused. */
	COUNT_OUTBOUND_RESERVED_PORT_REFUSED = 2,
	/* No memory to keep the original destination: refused. */
	COUNT_OUTBOUND_NO_MEMORY_REFUSED = 3,
	/* A process wanted to bind one of the reserved ports: refused. */
	COUNT_BIND_RESERVED_PORT_REFUSED = 4,
	/* A connection from outside was handed to the pod's inbound listener. */
	COUNT_INBOUND_CAPTURED = 5,
	/* The proxy's own delivery inside the pod: let through. */
	COUNT_INBOUND_DELIVERED = 6,
	/* The kubelet's probe of a declared port: let through. */
	COUNT_INBOUND_PROBE = 7,
	/* A process of the pod called its own pod: let through. */
	COUNT_INBOUND_WITHIN_POD = 8,
	/* A connection to a reserved port on the pod's address: dropped. */
	COUNT_INBOUND_RESERVED_PORT_DROPPED = 9,
	/* The pod has no inbound listener, the proxy is down: refused (fail closed). */
	COUNT_INBOUND_NO_LISTENER_DROPPED = 10,
	/* A process of the pod dialled its own pod from an address of another: dropped. */
	COUNT_INBOUND_FORGED_SOURCE_DROPPED = 11,
	/* From outside to an address of the pod that the agent does not know, so that it knows no policy for it: dropped. */
	COUNT_INBOUND_UNKNOWN_ADDRESS_DROPPED = 12,
	/* From outside to the pod's loopback address: dropped. */
	COUNT_INBOUND_LOOPBACK_FROM_OUTSIDE_DROPPED = 13,
	/* The kernel did not accept the listener for this connection: dropped. */
	COUNT_INBOUND_ASSIGN_FAILED_DROPPED = 14,
	/* The proxy asked for an original destination: answered. */
	COUNT_ORIGINAL_DESTINATION_ANSWERED = 15,
	/* The proxy asked for an original destination of a connection that was not redirected: refused. */
	COUNT_ORIGINAL_DESTINATION_UNKNOWN = 16,
	/* An inbound listener of the proxy was registered. */
	COUNT_INBOUND_LISTENER_REGISTERED = 17,
	/* An inbound listener of the proxy could not be registered. */
	COUNT_INBOUND_LISTENER_FAILED = 18,
	/* No source port was free in the range for deliveries: the kernel chose one. */
	COUNT_DELIVERY_PORT_NOT_CHOSEN = 19,
	/* From outside, with the addresses and ports of a delivery that is open or has just ended: dropped. */
	COUNT_INBOUND_DELIVERY_FROM_OUTSIDE_DROPPED = 20,
	/* A connection from outside was handed to the pod's brief inbound listener. */
	COUNT_INBOUND_CAPTURED_BRIEFLY = 21,
	/* A process dialled one of the proxy's listeners in a pod, and the proxy dialled that listener in turn: refused. */
	COUNT_PROXY_TO_ITSELF_REFUSED = 22,
	/* The pod joins, and its inbound listener does not stand yet: dropped without an answer, so that the client sends again. */
	COUNT_INBOUND_JOINING_DROPPED = 23,
	/* A socket of a pod, bound to a device, dialled a destination of the mesh: refused. */
	COUNT_OUTBOUND_DEVICE_BOUND_REFUSED = 24,
	/* The pod has no inbound listener, and the agent prefers availability: let through to the application. */
	COUNT_INBOUND_UNCAPTURED_PASSED = 25,
	COUNTERS = 26,
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_NUMBER(max_entries, 64);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u64);
} counters SEC(".maps");

INLINE void count(enum counter which)
{
	__u32 key = which;
	__u64 *value = bpf_map_lookup_elem(&counters, &key);

	if (value)
		*value += 1;
}

#endif
