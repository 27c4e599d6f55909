/*
 * sockops on the pods' cgroup: once a redirected connection has its source port, the map `redirected` gets its original
 * destination under its addresses and ports, for the proxy, which accepts it.
 */
#include "lib/maps.h"

SEC("sockops")
int pod_sockops(struct bpf_sock_ops *context)
{
	struct bpf_sock *socket;
	struct original *original, copy;
	struct connection connection;

	if (READ32(context, op) != BPF_SOCK_OPS_TCP_CONNECT_CB)
		return ALLOW;
	socket = context->sk;
	if (!socket)
		return ALLOW;
	original = bpf_sk_storage_get(&originals, socket, 0, 0);
	if (!original)
		return ALLOW;
	copy = *original;
	connection = dialled_by(context, bpf_get_netns_cookie(context));
	bpf_map_update_elem(&redirected, &connection, &copy, BPF_ANY);
	return ALLOW;
}
