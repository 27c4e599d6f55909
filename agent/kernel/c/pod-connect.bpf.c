/*
 * cgroup/connect4 and connect6 on the pods' cgroup: a connection of a captured pod to a captured destination goes to the
 * outbound listener in the pod's own network namespace. The socket remembers its original destination.
 */
#include "lib/counters.h"
#include "lib/maps.h"
#include "lib/ports.h"
#include "lib/proxy.h"

INLINE int is_of_pod(const struct pod *pod, const struct address *a)
{
	return is_same_address(a, &pod->ipv4) || is_same_address(a, &pod->ipv6);
}

/*
 * A socket that is bound to another device than `lo` reaches no loopback address: it cannot be redirected. Any process may bind
 * one since Linux 5.7, so that a socket that passed would evade the mesh and the policies about its pod.
 */
INLINE int is_bound_elsewhere(const struct bpf_sock *socket)
{
	__u32 device = socket->bound_dev_if;

	return device && device != LOOPBACK_INTERFACE;
}

enum { NOT_CAPTURED = 0, REFUSED = -1 };

/* Returns the port of the outbound listener for this connection, NOT_CAPTURED, or REFUSED. */
INLINE int outbound_port(struct bpf_sock_addr *context, const struct address *to, __u16 port)
{
	struct endpoint key = { .address = *to, .port = port };
	struct original original = { .destination = *to, .port = port }, *kept;
	struct bpf_sock *socket = context->sk;
	__u64 netns;
	struct pod *pod;
	__u32 *listener;

	if (READ32(context, protocol) != PROTOCOL_TCP || is_proxy() || !socket)
		return NOT_CAPTURED;
	netns = bpf_get_netns_cookie(context);
	pod = bpf_map_lookup_elem(&pods, &netns);
	if (pod && is_reserved_port(port) && (is_loopback(to) || is_unspecified(to) || is_of_pod(pod, to))) {
		/* Only redirected connections may reach the listeners: this one would have no original destination. */
		count(COUNT_OUTBOUND_RESERVED_PORT_REFUSED);
		return REFUSED;
	}
	listener = pod && !is_loopback(to) && !is_unspecified(to) ? bpf_map_lookup_elem(&destinations, &key) : 0;
	if (pod && !listener && !is_reserved_port(port) && !is_of_pod(pod, to)) {
		/* Port 0 stands for all ports of a pod in the mesh. A pod's calls to itself are not captured. */
		key.port = 0;
		listener = bpf_map_lookup_elem(&destinations, &key);
	}
	if (listener && is_bound_elsewhere(socket)) {
		count(COUNT_OUTBOUND_DEVICE_BOUND_REFUSED);
		return REFUSED;
	}
	if (!listener) {
		/* An earlier connect may have redirected the socket; the application has disconnected it since. */
		bpf_sk_storage_delete(&originals, socket);
		if (pod)
			count(COUNT_OUTBOUND_LEFT_ALONE);
		return NOT_CAPTURED;
	}
	original.source = is_ipv4(to) ? pod->ipv4 : pod->ipv6;
	kept = bpf_sk_storage_get(&originals, socket, &original, BPF_SK_STORAGE_GET_F_CREATE);
	if (!kept) {
		count(COUNT_OUTBOUND_NO_MEMORY_REFUSED);
		return REFUSED;
	}
	*kept = original;
	count(COUNT_OUTBOUND_CAPTURED);
	return *listener;
}

SEC("cgroup/connect4")
int pod_connect4(struct bpf_sock_addr *context)
{
	struct address to = address4(READ32(context, user_ip4)), here = address4(LOOPBACK4);
	int port = outbound_port(context, &to, target_port(context));

	if (port == REFUSED)
		return refuse(ECONNREFUSED);
	if (port != NOT_CAPTURED)
		set_target4(context, &here, port);
	return ALLOW;
}

SEC("cgroup/connect6")
int pod_connect6(struct bpf_sock_addr *context)
{
	struct address to = target6(context), here = { .word = { 0, 0, 0, LOOPBACK6_LAST } };
	int port = outbound_port(context, &to, target_port(context));

	if (port == REFUSED)
		return refuse(ECONNREFUSED);
	/* An IPv6 socket with a v4-mapped destination, as Java makes them, speaks IPv4. */
	if (is_ipv4(&to))
		here = address4(LOOPBACK4);
	if (port != NOT_CAPTURED)
		set_target6(context, &here, port);
	return ALLOW;
}
