/*
 * The lab's kube-proxy, on each node's cgroup: connections to a Service's address go to one of its endpoints, unless the mesh
 * has captured them. The pods' cgroup lies below, and the kernel runs its programs first: captured connections arrive here
 * with a loopback address, and pass.
 */
#include "lib/address.h"

struct front {
	struct address address;
	__u16 port;
	__u16 protocol;
};

struct service {
	/* Names the backends, see `backend_key`. New whenever they change, so that no connection sees half a change. */
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

/* A datagram's sender as the application's socket sees it, and the Service's address that the socket had sent to. */
struct answer_key {
	__u64 socket;
	struct backend from;
	__u32 unused;
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 65536);
	MAP_TYPE(key, struct answer_key);
	MAP_TYPE(value, struct backend);
} answers SEC(".maps");

/* One of the Service's endpoints. Datagrams of one socket keep to one endpoint, as with kube-proxy's conntrack entries. */
INLINE struct backend *choose(struct bpf_sock_addr *context, const struct service *service, __u32 protocol)
{
	__u32 number = protocol == PROTOCOL_UDP ? (__u32)bpf_get_socket_cookie(context) : bpf_get_prandom_u32();
	struct backend_key key = { .service = service->id, .index = number % service->backends };

	return bpf_map_lookup_elem(&backends, &key);
}

/* 0: not a Service's address. 1: `to` and `port` are now a backend's, `shown` has the old ones. -1: no backend. */
INLINE int balance(struct bpf_sock_addr *context, struct address *to, __u16 *port, struct backend *shown)
{
	struct front front = { .address = *to, .port = *port, .protocol = READ32(context, protocol) };
	struct answer_key answer = { .socket = bpf_get_socket_cookie(context) };
	struct service *service = bpf_map_lookup_elem(&services, &front);
	struct backend *backend;

	*shown = (struct backend){ .address = *to, .port = *port };
	if (!service)
		return 0;
	if (!service->backends)
		return -1;
	backend = choose(context, service, front.protocol);
	if (!backend) {
		/* The endpoints have changed between the two look-ups. By now the Service names the new ones. */
		service = bpf_map_lookup_elem(&services, &front);
		if (!service || !service->backends)
			return -1;
		backend = choose(context, service, front.protocol);
		if (!backend)
			return -1;
	}
	*to = backend->address;
	*port = backend->port;
	if (front.protocol == PROTOCOL_UDP) {
		answer.from = (struct backend){ .address = *to, .port = *port };
		bpf_map_update_elem(&answers, &answer, shown, BPF_ANY);
	}
	return 1;
}

/* At connect: the socket remembers the dialled address, and forgets an earlier one. */
INLINE int dial(struct bpf_sock_addr *context, struct address *to, __u16 *port)
{
	struct bpf_sock *socket = context->sk;
	struct backend shown, *kept;
	int found = balance(context, to, port, &shown);

	if (!socket)
		return found;
	if (found <= 0) {
		bpf_sk_storage_delete(&dialled, socket);
		return found;
	}
	kept = bpf_sk_storage_get(&dialled, socket, &shown, BPF_SK_STORAGE_GET_F_CREATE);
	if (kept)
		*kept = shown;
	return found;
}

SEC("cgroup/connect4")
int lab_connect4(struct bpf_sock_addr *context)
{
	struct address to = address4(READ32(context, user_ip4));
	__u16 port = target_port(context);
	int found = dial(context, &to, &port);

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
	int found = dial(context, &to, &port);

	if (found < 0)
		return refuse(ECONNREFUSED);
	if (found)
		set_target6(context, &to, port);
	return ALLOW;
}

/* A datagram of an unconnected socket. */
SEC("cgroup/sendmsg4")
int lab_sendmsg4(struct bpf_sock_addr *context)
{
	struct address to = address4(READ32(context, user_ip4));
	__u16 port = target_port(context);
	struct backend shown;
	int found = balance(context, &to, &port, &shown);

	if (found < 0)
		return refuse(ECONNREFUSED);
	if (found)
		set_target4(context, &to, port);
	return ALLOW;
}

SEC("cgroup/sendmsg6")
int lab_sendmsg6(struct bpf_sock_addr *context)
{
	struct address to = target6(context);
	__u16 port = target_port(context);
	struct backend shown;
	int found = balance(context, &to, &port, &shown);

	if (found < 0)
		return refuse(ECONNREFUSED);
	if (found)
		set_target6(context, &to, port);
	return ALLOW;
}

/* Resolvers and others drop an answer from another address than the one they asked. */
INLINE struct backend *answered_by(struct bpf_sock_addr *context, const struct address *from)
{
	struct answer_key key = {
		.socket = bpf_get_socket_cookie(context),
		.from = { .address = *from, .port = target_port(context) },
	};

	return bpf_map_lookup_elem(&answers, &key);
}

SEC("cgroup/recvmsg4")
int lab_recvmsg4(struct bpf_sock_addr *context)
{
	struct address from = address4(READ32(context, user_ip4));
	struct backend *shown = answered_by(context, &from);

	if (shown)
		set_target4(context, &shown->address, shown->port);
	return ALLOW;
}

SEC("cgroup/recvmsg6")
int lab_recvmsg6(struct bpf_sock_addr *context)
{
	struct address from = target6(context);
	struct backend *shown = answered_by(context, &from);

	if (shown)
		set_target6(context, &shown->address, shown->port);
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
