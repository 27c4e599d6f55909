/* sockops on the proxy's cgroup: its listeners, the connections it accepts, and those it opens inside pods. */
#include "lib/counters.h"
#include "lib/maps.h"
#include "lib/ports.h"

/* Registers the listening socket under the first free slot; sk_lookup looks for it there. Returns the slot, or an error. */
INLINE long take_slot(struct bpf_sock_ops *context, struct listener_key *key)
{
	for (int slot = 0; slot < LISTENER_SLOTS; slot++) {
		long failed;

		key->slot = slot;
		failed = bpf_sock_hash_update(context, &worker_listeners, key, BPF_NOEXIST);
		if (!failed)
			return slot;
		if (failed != -EEXIST)
			return failed;
	}
	return -EEXIST;
}

INLINE void register_listener(struct bpf_sock_ops *context)
{
	struct listener_key key = { .netns = bpf_get_netns_cookie(context), .family = READ32(context, family) };
	__u32 port = READ32(context, local_port), zero = 0;
	struct listener_slots *slots = bpf_map_lookup_elem(&listener_slots, &zero);
	long slot;

	if (!is_inbound_port(port) || !slots)
		return;
	key.brief = port == BRIEF_PORT;
	slot = take_slot(context, &key);
	if (slot < 0) {
		count(COUNT_INBOUND_LISTENER_FAILED);
		return;
	}
	if (!slots->seed)
		slots->seed = bpf_get_prandom_u32() | 1;
	if (slots->end < slot + 1)
		slots->end = slot + 1;
	count(COUNT_INBOUND_LISTENER_REGISTERED);
}

/* Moves the original destination from the map `redirected` to the accepted socket, where proxy-getsockopt.bpf.c finds it. */
INLINE void take_original(struct bpf_sock_ops *context)
{
	struct bpf_sock *socket = context->sk;
	struct original *original, copy;
	struct connection connection;

	if (!socket || !is_outbound_port(READ32(context, local_port)))
		return;
	connection = accepted_by(context, bpf_get_netns_cookie(context));
	original = bpf_map_lookup_elem(&redirected, &connection);
	if (!original)
		return;
	copy = *original;
	bpf_map_delete_elem(&redirected, &connection);
	bpf_sk_storage_get(&originals, socket, &copy, BPF_SK_STORAGE_GET_F_CREATE);
}

/*
 * A delivery is a connection of the proxy from inside the network namespace of the pod that it dials. A connection that the
 * proxy opens from elsewhere goes to the pod's inbound listener, as anybody's does.
 */
INLINE void note_delivery(struct bpf_sock_ops *context)
{
	struct connection connection = dialled_by(context, 0);
	__u64 here = bpf_get_netns_cookie(context);
	__u64 *there = bpf_map_lookup_elem(&pod_addresses, &connection.remote);

	if (!there || *there != here)
		return;
	bpf_map_update_elem(&proxy_conns, &connection, &here, BPF_ANY);
	bpf_sock_ops_cb_flags_set(context, BPF_SOCK_OPS_STATE_CB_FLAG);
}

INLINE void forget_delivery(struct bpf_sock_ops *context)
{
	struct connection connection = dialled_by(context, 0);

	bpf_map_delete_elem(&proxy_conns, &connection);
}

SEC("sockops")
int proxy_sockops(struct bpf_sock_ops *context)
{
	switch (READ32(context, op)) {
	case BPF_SOCK_OPS_TCP_LISTEN_CB:
		register_listener(context);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		take_original(context);
		break;
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		note_delivery(context);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (READ32(context, args[1]) == BPF_TCP_CLOSE)
			forget_delivery(context);
		break;
	}
	return ALLOW;
}
