/*
 * sk_lookup in each captured pod's network namespace: a new connection from outside goes to the pod's inbound listener, and
 * keeps its destination as its local address. This hook cannot read the netns cookie, so the address tells the pod.
 *
 * The program is attached before any map entry of the pod is written. So where an entry is missing, it refuses: a map that is
 * full opens no pod.
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
 * True if a process of the pod dialled the pod's own address. The ingress interface does not tell: for an address of the pod
 * the kernel names the interface that has the address, though the packet goes over the loopback device.
 */
INLINE int is_own(struct connection *c, __u64 *pod)
{
	__u64 *source = bpf_map_lookup_elem(&pod_addresses, &c->local);

	return source && pod && *source == *pod;
}

/* False once no agent has confirmed `mtls_callers` for long: pods elsewhere may have joined without an entry there. */
INLINE int are_callers_known(void)
{
	__u32 zero = 0;
	__u64 *until = bpf_map_lookup_elem(&callers_known_until, &zero);

	return until && bpf_ktime_get_ns() < *until;
}

/*
 * True if the source's address is of no pod that may speak mTLS, and the server may speak first: then the client's first
 * bytes may never come, and the brief listener does not wait for them for long. Both listeners do the same otherwise, so that
 * a forged address only changes how long the proxy waits.
 */
INLINE int is_brief(const struct connection *c)
{
	struct endpoint key = { .address = c->remote, .port = c->remote_port };

	return bpf_map_lookup_elem(&brief_ports, &key) && !bpf_map_lookup_elem(&mtls_callers, &c->local) &&
	       are_callers_known();
}

#define GOLDEN_RATIO 0x9e3779b1u
#define SLOT_TRIES 8

/*
 * Returns one of the listener's sockets; the caller releases it. The proxy has a socket for each worker, so that each worker
 * gets its part. The same connection gets the same socket while the sockets stay. The choice is made here, and not by the
 * kernel within the group of SO_REUSEPORT: a process of the pod may have joined that group before the pod joined the mesh.
 */
INLINE struct bpf_sock *socket_of(const struct connection *c, struct listener_key *key)
{
	__u32 zero = 0, hash;
	struct listener_slots *slots = bpf_map_lookup_elem(&listener_slots, &zero);
	struct bpf_sock *socket;

	if (!slots)
		return 0;
	hash = (c->local.word[2] ^ c->local.word[3]) * GOLDEN_RATIO ^ c->local_port ^ slots->seed;
	for (int i = 0; i < SLOT_TRIES; i++) {
		hash = (hash ^ hash >> 15) * GOLDEN_RATIO;
		hash ^= hash >> 13;
		key->slot = (__u64)hash * slots->end >> 32;
		socket = bpf_map_lookup_elem(&worker_listeners, key);
		if (socket)
			return socket;
	}
	for (__u32 slot = 0; slot < LISTENER_SLOTS && slot < slots->end; slot++) {
		key->slot = slot;
		socket = bpf_map_lookup_elem(&worker_listeners, key);
		if (socket)
			return socket;
	}
	return 0;
}

/* Returns the pod's listener for this connection; the caller releases it. Without a brief one the other takes all. */
INLINE struct bpf_sock *listener_for(struct connection *c, struct listener_key *key)
{
	struct bpf_sock *listener;

	key->brief = is_brief(c);
	listener = socket_of(c, key);
	if (listener || !key->brief)
		return listener;
	key->brief = 0;
	return socket_of(c, key);
}

INLINE long assign(struct bpf_sk_lookup *context, struct bpf_sock *listener)
{
	long failed = bpf_sk_assign(context, listener, BPF_SK_LOOKUP_F_NO_REUSEPORT);

	bpf_sk_release(listener);
	return failed;
}

/*
 * SK_DROP makes the kernel answer with a reset: the client's connect fails. While a pod joins, the client shall send its SYN
 * again until the listener stands. So a socket takes the SYN whose filter discards it, and no answer goes out.
 *
 * A pod without an entry, and one with a value that this program does not know, is refused.
 */
INLINE int without_listener(struct bpf_sk_lookup *context, const struct listener_key *key)
{
	struct bpf_sock *silent = 0;
	__u64 netns = key->netns;
	__u32 family = key->family, *what = bpf_map_lookup_elem(&silent_pods, &netns);

	if (what && *what == WITHOUT_LISTENER_PASS)
		return pass(COUNT_INBOUND_UNCAPTURED_PASSED);
	if (what && *what == WITHOUT_LISTENER_DROP)
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
	 * Redirected connections come to the outbound listeners by their loopback address; no connection comes to the inbound
	 * ones. A process could dial these past the hook at connect: CAP_NET_ADMIN is enough for a rule that changes the
	 * destination. The proxy would then deliver to its own listener, and that delivery to it again, until no file
	 * descriptor is left.
	 */
	if (is_reserved_port(c.remote_port) && (is_inbound_port(c.remote_port) || !is_loopback(&c.remote)))
		return drop(COUNT_INBOUND_RESERVED_PORT_DROPPED);
	if (is_loopback(&c.remote))
		return SK_PASS;
	pod = bpf_map_lookup_elem(&pod_addresses, &c.remote);
	if (is_same_address(&c.local, &c.remote) || is_loopback(&c.local) || is_own(&c, pod))
		return pass(COUNT_INBOUND_WITHIN_POD);
	/*
	 * Addresses and ports alone do not tell a delivery: the caller may use the same port once the application has closed
	 * its end and the proxy has not. Deliveries come by the loopback device (proxy-connect.bpf.c).
	 */
	if (bpf_map_lookup_elem(&proxy_conns, &c))
		return within ? pass(COUNT_INBOUND_DELIVERED) : drop(COUNT_INBOUND_DELIVERY_FROM_OUTSIDE_DROPPED);
	/* A process of the pod has bound an address of another: CAP_NET_RAW is enough for that. */
	if (within)
		return drop(COUNT_INBOUND_FORGED_SOURCE_DROPPED);
	if (bpf_map_lookup_elem(&probe_conns, &c))
		return pass(COUNT_INBOUND_PROBE);
	if (!pod)
		return drop(COUNT_INBOUND_UNKNOWN_ADDRESS_DROPPED);
	key.netns = *pod;
	listener = listener_for(&c, &key);
	if (!listener)
		return without_listener(context, &key);
	if (assign(context, listener))
		return drop(COUNT_INBOUND_ASSIGN_FAILED_DROPPED);
	return pass(key.brief ? COUNT_INBOUND_CAPTURED_BRIEFLY : COUNT_INBOUND_CAPTURED);
}
