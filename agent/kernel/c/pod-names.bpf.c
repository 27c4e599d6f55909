/*
 * cgroup/getpeername4, 6 and getsockname4, 6 on the pods' cgroup: on a redirected connection the application sees the address
 * that it dialled and its pod's own address, and not the listener's.
 */
#include "lib/maps.h"

INLINE struct original *original_of(struct bpf_sock_addr *context)
{
	struct bpf_sock *socket = context->sk;

	return socket ? bpf_sk_storage_get(&originals, socket, 0, 0) : 0;
}

SEC("cgroup/getpeername4")
int pod_getpeername4(struct bpf_sock_addr *context)
{
	struct original *original = original_of(context);

	if (original)
		set_target4(context, &original->destination, original->port);
	return ALLOW;
}

SEC("cgroup/getpeername6")
int pod_getpeername6(struct bpf_sock_addr *context)
{
	struct original *original = original_of(context);

	if (original)
		set_target6(context, &original->destination, original->port);
	return ALLOW;
}

SEC("cgroup/getsockname4")
int pod_getsockname4(struct bpf_sock_addr *context)
{
	struct original *original = original_of(context);

	/* A socket that the application bound to an address shows that address. */
	if (original && is_loopback4(READ32(context, user_ip4)) && is_ipv4(&original->source))
		context->user_ip4 = original->source.word[3];
	return ALLOW;
}

SEC("cgroup/getsockname6")
int pod_getsockname6(struct bpf_sock_addr *context)
{
	struct original *original = original_of(context);
	struct address shown = target6(context);

	if (original && is_loopback(&shown) && !is_unspecified(&original->source))
		set_target6(context, &original->source, target_port(context));
	return ALLOW;
}
