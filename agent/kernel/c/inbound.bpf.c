/*
 * sk_lookup in each enrolled pod's network namespace: a new connection from outside goes to the pod's inbound listener, with
 * its destination kept as the local address. There is no netns cookie here, so the pod is found by its address.
 */
#include "lib/counters.h"
#include "lib/maps.h"
#include "lib/ports.h"

INLINE int pass(enum counter why)
{
	count(why);
	return SK_PASS;
}

INLINE int drop(enum counter why)
{
	count(why);
	return SK_DROP;
}

INLINE void read_connection(struct bpf_sk_lookup *context, struct connection *c)
{
	if (READ32(context, family) == FAMILY_IPV4) {
		c->local = address4(READ32(context, remote_ip4));
		c->remote = address4(READ32(context, local_ip4));
	} else {
		c->local = (struct address){ .word = { READ32(context, remote_ip6[0]), READ32(context, remote_ip6[1]),
						       READ32(context, remote_ip6[2]), READ32(context, remote_ip6[3]) } };
		c->remote = (struct address){ .word = { READ32(context, local_ip6[0]), READ32(context, local_ip6[1]),
							READ32(context, local_ip6[2]), READ32(context, local_ip6[3]) } };
	}
	c->local_port = swap16(context->remote_port);
	c->remote_port = READ32(context, local_port);
}

/*
 * A connection that a process in the pod opened to the pod's own address. The arriving interface does not tell: for an
 * address of the pod it is the one that has the address, though the packet goes over the loopback device.
 */
INLINE int is_own(struct connection *c, __u64 *pod)
{
	__u64 *source = bpf_map_lookup_elem(&pod_addresses, &c->local);

	return source && pod && *source == *pod;
}

/* Without an agent, pods would join elsewhere that nobody here hears of. */
INLINE int are_callers_known(void)
{
	__u32 zero = 0;
	__u64 *until = bpf_map_lookup_elem(&callers_known_until, &zero);

	return until && bpf_ktime_get_ns() < *until;
}

/*
 * Plaintext from outside the mesh, as far as an address tells, to a server that may speak first: nobody has to wait long for
 * bytes that never come. Both listeners do the same, whoever comes to which: the address says how long, and nothing else.
 */
INLINE int is_brief(const struct connection *c)
{
	struct endpoint key = { .address = c->remote, .port = c->remote_port };

	return bpf_map_lookup_elem(&brief_ports, &key) && !bpf_map_lookup_elem(&mtls_callers, &c->local) &&
	       are_callers_known();
}

/* The pod's listener for this connection; the caller releases it. Where there is no brief one, the other takes all. */
INLINE struct bpf_sock *listener_for(struct connection *c, struct listener_key *key)
{
	struct bpf_sock *listener;

	key->brief = is_brief(c);
	listener = bpf_map_lookup_elem(&listeners, key);
	if (listener || !key->brief)
		return listener;
	key->brief = 0;
	return bpf_map_lookup_elem(&listeners, key);
}

INLINE long assign(struct bpf_sk_lookup *context, struct bpf_sock *listener)
{
	long failed = bpf_sk_assign(context, listener, 0);

	bpf_sk_release(listener);
	return failed;
}

/*
 * SK_DROP makes the kernel answer with a reset, so that the client learns that it is refused. While a pod joins, the client
 * shall send its SYN again until the listener stands: a socket takes the SYN whose filter discards it without an answer.
 */
INLINE int without_listener(struct bpf_sk_lookup *context, const struct listener_key *key)
{
	struct bpf_sock *silent = 0;
	__u64 netns = key->netns;
	__u32 family = key->family;

	if (bpf_map_lookup_elem(&silent_pods, &netns))
		silent = bpf_map_lookup_elem(&silent_listeners, &family);
	if (!silent)
		return drop(COUNT_INBOUND_NO_LISTENER_DROPPED);
	if (assign(context, silent))
		return drop(COUNT_INBOUND_ASSIGN_FAILED_DROPPED);
	return pass(COUNT_INBOUND_JOINING_DROPPED);
}

SEC("sk_lookup")
int pod_inbound(struct bpf_sk_lookup *context)
{
	struct connection c = {};
	struct listener_key key = { .family = READ32(context, family) };
	int within = READ32(context, ingress_ifindex) == LOOPBACK_INTERFACE;
	struct bpf_sock *listener;
	__u64 *pod;

	if (READ32(context, protocol) != PROTOCOL_TCP)
		return SK_PASS;
	read_connection(context, &c);
	if (is_loopback(&c.remote) && !within)
		return drop(COUNT_INBOUND_LOOPBACK_FROM_OUTSIDE_DROPPED);
	/*
	 * Redirected connections come to the outbound listeners by their loopback address; nobody comes to the inbound ones. Who
	 * did, past connect (CAP_NET_ADMIN is enough for a rule that changes the destination), would have the proxy deliver to
	 * its own listener, and that delivery to it again, until no file descriptor is left.
	 */
	if (is_reserved_port(c.remote_port) && (is_inbound_port(c.remote_port) || !is_loopback(&c.remote)))
		return drop(COUNT_INBOUND_RESERVED_PORT_DROPPED);
	if (is_loopback(&c.remote))
		return SK_PASS;
	pod = bpf_map_lookup_elem(&pod_addresses, &c.remote);
	if (is_same_address(&c.local, &c.remote) || is_loopback(&c.local) || is_own(&c, pod))
		return pass(COUNT_INBOUND_WITHIN_POD);
	/*
	 * Addresses and ports alone do not make a delivery: the caller may use the same port, once the application has closed
	 * its end and the proxy has not. Deliveries come by the loopback device (delivery-port.bpf.c).
	 */
	if (bpf_map_lookup_elem(&proxy_conns, &c))
		return within ? pass(COUNT_INBOUND_DELIVERED) : drop(COUNT_INBOUND_DELIVERY_FROM_OUTSIDE_DROPPED);
	/* CAP_NET_RAW is enough to bind any address; whoever does it is not whom he says he is. */
	if (within)
		return drop(COUNT_INBOUND_FORGED_SOURCE_DROPPED);
	if (!pod)
		return drop(COUNT_INBOUND_UNKNOWN_ADDRESS_DROPPED);
	if (bpf_map_lookup_elem(&probe_conns, &c))
		return pass(COUNT_INBOUND_PROBE);
	key.netns = *pod;
	listener = listener_for(&c, &key);
	if (!listener)
		return without_listener(context, &key);
	if (assign(context, listener))
		return drop(COUNT_INBOUND_ASSIGN_FAILED_DROPPED);
	return pass(key.brief ? COUNT_INBOUND_CAPTURED_BRIEFLY : COUNT_INBOUND_CAPTURED);
}
