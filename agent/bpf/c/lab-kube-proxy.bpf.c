/*
 * The lab's kube-proxy, on each node's cgroup: what nobody has captured, and is dialled at a Service's address, goes to one of
 * its endpoints. The pods' cgroup lies below, and the kernel runs its programs first: captured connections come here with the
 * loopback address, and pass.
 */
#include "lib/address.h"

struct front {
	struct address address;
	__u16 port;
	__u16 protocol;
};

struct service {
	/* Which backends, see `backend_key`; another one whenever they change, so that no connection sees half a change. */
	__u32 id;
	__u32 backends;
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 65536);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, struct front);
	MAP_TYPE(value, struct service);
} services SEC(".maps");

struct backend_key {
	__u32 service;
	__u32 index;
};

struct backend {
	struct address address;
	__u16 port;
	__u16 unused;
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 262144);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, struct backend_key);
	MAP_TYPE(value, struct backend);
} backends SEC(".maps");

/* The Service's address that a socket was connected to, for getpeername. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_SK_STORAGE);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, int);
	MAP_TYPE(value, struct backend);
} dialled SEC(".maps");

/* 0: not a Service's address. 1: `to` and `port` are a backend's now. -1: the Service has none. */
INLINE int balance(struct bpf_sock_addr *context, struct address *to, __u16 *port)
{
	struct front front = { .address = *to, .port = *port, .protocol = READ32(context, protocol) };
	struct backend shown = { .address = *to, .port = *port };
	struct bpf_sock *socket = context->sk;
	struct backend_key key = {};
	struct service *service;
	struct backend *backend;

	service = bpf_map_lookup_elem(&services, &front);
	if (!service)
		return 0;
	if (!service->backends)
		return -1;
	key.service = service->id;
	key.index = bpf_get_prandom_u32() % service->backends;
	backend = bpf_map_lookup_elem(&backends, &key);
	if (!backend)
		return -1;
	if (socket) {
		struct backend *kept = bpf_sk_storage_get(&dialled, socket, &shown, BPF_SK_STORAGE_GET_F_CREATE);

		if (kept)
			*kept = shown;
	}
	*to = backend->address;
	*port = backend->port;
	return 1;
}

SEC("cgroup/connect4")
int lab_connect4(struct bpf_sock_addr *context)
{
	struct address to = address4(READ32(context, user_ip4));
	__u16 port = target_port(context);
	int found = balance(context, &to, &port);

	if (found < 0)
		return refuse(ECONNREFUSED);
	if (found)
		set_target4(context, &to, port);
	return ALLOW;
}

SEC("cgroup/connect6")
int lab_connect6(struct bpf_sock_addr *context)
{
	struct address to = target6(context);
	__u16 port = target_port(context);
	int found = balance(context, &to, &port);

	if (found < 0)
		return refuse(ECONNREFUSED);
	if (found)
		set_target6(context, &to, port);
	return ALLOW;
}

INLINE struct backend *dialled_by(struct bpf_sock_addr *context)
{
	struct bpf_sock *socket = context->sk;

	return socket ? bpf_sk_storage_get(&dialled, socket, 0, 0) : 0;
}

SEC("cgroup/getpeername4")
int lab_getpeername4(struct bpf_sock_addr *context)
{
	struct backend *shown = dialled_by(context);

	if (shown)
		set_target4(context, &shown->address, shown->port);
	return ALLOW;
}

SEC("cgroup/getpeername6")
int lab_getpeername6(struct bpf_sock_addr *context)
{
	struct backend *shown = dialled_by(context);

	if (shown)
		set_target6(context, &shown->address, shown->port);
	return ALLOW;
}

char gpl[] SEC("license") = "GPL";
