/*
 * cgroup/connect4 and connect6 on the proxy's cgroup: the device and the source port of a delivery.
 *
 * A delivery has the caller's address as its source, and so has the connection that brought the call to this node; both go to
 * the same port of the same pod. With the same source port they would be one connection to the kernel, which would reset one
 * of them. So a delivery takes a source port from a range below the usual ephemeral one, and none under which the pod has such
 * a connection already. bpf_bind does that; IP_LOCAL_PORT_RANGE can only narrow the ephemeral range, and needs Linux 6.3.
 */
#include "lib/counters.h"
#include "lib/maps.h"
#include "lib/ports.h"
#include "lib/socket-address.h"

#define SOL_SOCKET 1
#define SO_BINDTODEVICE 25
/* "lo" */
#define LOOPBACK_DEVICE swap32(0x6c6f0000)

#define DELIVERY_PORT_FIRST 10240
#define DELIVERY_PORTS 22528
#define DELIVERY_PORT_TRIES 8

/* True if the address belongs to the pod of this network namespace. */
INLINE int is_here(struct bpf_sock_addr *context, const struct address *address)
{
	__u64 *there = bpf_map_lookup_elem(&pod_addresses, address);

	return there && *there == bpf_get_netns_cookie(context);
}

INLINE int is_delivery(struct bpf_sock_addr *context, const struct address *to)
{
	return READ32(context, protocol) == PROTOCOL_TCP && is_here(context, to);
}

/*
 * True for the proxy's own listener in the pod. In a pod that has left, or that is about to join, the pod's hooks do not run,
 * so that a process can dial that listener. The proxy would take the listener for the destination, dial it in turn, and go on
 * until no file descriptor is left.
 */
INLINE int is_to_itself(const struct address *to, __u16 port)
{
	return is_reserved_port(port) && (is_loopback(to) || is_unspecified(to));
}

INLINE int refuse_to_itself(void)
{
	count(COUNT_PROXY_TO_ITSELF_REFUSED);
	return refuse(ECONNREFUSED);
}

/*
 * A delivery that is bound to the loopback device takes the route of its mark and not the route of the pod's address. So it
 * comes to sk_lookup by that device, and no connection from outside does. A call of the pod to itself has no such route for
 * its answers, and needs none: sk_lookup lets it pass by its source. Where this fails, sk_lookup drops the delivery.
 */
INLINE void keep_within(struct bpf_sock_addr *context, const struct address *from)
{
	__u32 device = LOOPBACK_DEVICE;

	if (!is_here(context, from))
		bpf_setsockopt(context, SOL_SOCKET, SO_BINDTODEVICE, &device, sizeof(device));
}

INLINE __u16 any_port(void)
{
	return swap16(DELIVERY_PORT_FIRST + bpf_get_prandom_u32() % DELIVERY_PORTS);
}

/* True if the pod has a socket for this connection already. A listener is none: it would take any connection. */
INLINE int is_taken(struct bpf_sock_addr *context, struct bpf_sock_tuple *connection, __u32 size)
{
	struct bpf_sock *socket = bpf_sk_lookup_tcp(context, connection, size, BPF_F_CURRENT_NETNS, 0);
	int taken;

	if (!socket)
		return 0;
	taken = socket->state != BPF_TCP_LISTEN;
	bpf_sk_release(socket);
	return taken;
}

SEC("cgroup/connect4")
int proxy_connect4(struct bpf_sock_addr *context)
{
	struct address to = address4(READ32(context, user_ip4));
	struct bpf_sock *socket = context->sk;
	struct address caller;
	__u32 from;

	if (is_to_itself(&to, target_port(context)))
		return refuse_to_itself();
	if (!socket || !is_delivery(context, &to))
		return ALLOW;
	from = socket->src_ip4;
	if (!from)
		return ALLOW;
	caller = address4(from);
	keep_within(context, &caller);
	for (int i = 0; i < DELIVERY_PORT_TRIES; i++) {
		struct socket_address4 wanted = { .family = FAMILY_IPV4, .port = any_port(), .address = from };
		struct bpf_sock_tuple wire = {
			.ipv4 = { .saddr = from,
				  .daddr = to.word[3],
				  .sport = wanted.port,
				  .dport = (__u16)READ32(context, user_port) },
		};

		if (!is_taken(context, &wire, sizeof(wire.ipv4)) && bpf_bind(context, &wanted, sizeof(wanted)) == 0)
			return ALLOW;
	}
	count(COUNT_DELIVERY_PORT_NOT_CHOSEN);
	return ALLOW;
}

SEC("cgroup/connect6")
int proxy_connect6(struct bpf_sock_addr *context)
{
	struct address to = target6(context);
	struct bpf_sock *socket = context->sk;
	struct address from;

	if (is_to_itself(&to, target_port(context)))
		return refuse_to_itself();
	if (!socket || is_ipv4(&to) || !is_delivery(context, &to))
		return ALLOW;
	from = (struct address){ .word = { socket->src_ip6[0], socket->src_ip6[1], socket->src_ip6[2],
					   socket->src_ip6[3] } };
	if (is_unspecified(&from))
		return ALLOW;
	keep_within(context, &from);
	for (int i = 0; i < DELIVERY_PORT_TRIES; i++) {
		struct socket_address6 wanted = {
			.family = FAMILY_IPV6,
			.port = any_port(),
			.address = { from.word[0], from.word[1], from.word[2], from.word[3] },
		};
		struct bpf_sock_tuple wire = {
			.ipv6 = { .saddr = { from.word[0], from.word[1], from.word[2], from.word[3] },
				  .daddr = { to.word[0], to.word[1], to.word[2], to.word[3] },
				  .sport = wanted.port,
				  .dport = (__u16)READ32(context, user_port) },
		};

		if (!is_taken(context, &wire, sizeof(wire.ipv6)) && bpf_bind(context, &wanted, sizeof(wanted)) == 0)
			return ALLOW;
	}
	count(COUNT_DELIVERY_PORT_NOT_CHOSEN);
	return ALLOW;
}
