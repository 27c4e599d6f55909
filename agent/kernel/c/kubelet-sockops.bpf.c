/*
 * sockops on the kubelet's cgroup: its connections to declared probe ports pass sk_lookup. The process tells the kubelet,
 * not its address: NodePort traffic and pods in the host's network have the node's address, too.
 */
#include "lib/maps.h"

SEC("sockops")
int kubelet_sockops(struct bpf_sock_ops *context)
{
	__u32 op = READ32(context, op);
	struct connection connection;
	struct endpoint key = {};
	__u64 one = 1;

	if (op != BPF_SOCK_OPS_TCP_CONNECT_CB && op != BPF_SOCK_OPS_STATE_CB)
		return ALLOW;
	connection = dialled_by(context, 0);
	if (op == BPF_SOCK_OPS_STATE_CB) {
		if (READ32(context, args[1]) == BPF_TCP_CLOSE)
			bpf_map_delete_elem(&probe_conns, &connection);
		return ALLOW;
	}
	key.address = connection.remote;
	key.port = connection.remote_port;
	if (!bpf_map_lookup_elem(&probe_ports, &key))
		return ALLOW;
	bpf_map_update_elem(&probe_conns, &connection, &one, BPF_ANY);
	bpf_sock_ops_cb_flags_set(context, BPF_SOCK_OPS_STATE_CB_FLAG);
	return ALLOW;
}
