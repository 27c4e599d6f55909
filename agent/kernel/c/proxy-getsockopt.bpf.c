/* cgroup/getsockopt on the proxy's cgroup: answers SO_ORIGINAL_DST, so that Envoy's own original_dst filter works. */
#include "lib/counters.h"
#include "lib/maps.h"
#include "lib/ports.h"
#include "lib/socket-address.h"

enum { SOL_IP = 0, SOL_IPV6 = 41, SO_ORIGINAL_DST = 80, PAGE = 4096 };

INLINE int answer(struct bpf_sockopt *context, const struct address *address, __u16 port)
{
	void *value = context->optval, *end = context->optval_end;

	if (context->level == SOL_IP) {
		struct socket_address4 *out = value;

		if ((void *)(out + 1) > end)
			return REFUSE;
		out->family = FAMILY_IPV4;
		out->port = swap16(port);
		out->address = address->word[3];
		out->zero = 0;
		context->optlen = sizeof(*out);
	} else {
		struct socket_address6 *out = value;

		if ((void *)(out + 1) > end)
			return REFUSE;
		out->family = FAMILY_IPV6;
		out->port = swap16(port);
		out->flow = 0;
		out->address[0] = address->word[0];
		out->address[1] = address->word[1];
		out->address[2] = address->word[2];
		out->address[3] = address->word[3];
		out->scope = 0;
		context->optlen = sizeof(*out);
	}
	context->retval = 0;
	count(COUNT_ORIGINAL_DESTINATION_ANSWERED);
	return ALLOW;
}

SEC("cgroup/getsockopt")
int proxy_getsockopt(struct bpf_sockopt *context)
{
	struct bpf_sock *socket = context->sk;
	struct original *original;
	struct address local;

	if (context->optname != SO_ORIGINAL_DST || (context->level != SOL_IP && context->level != SOL_IPV6)) {
		/* A program sees one page of the value; with length zero the kernel gives the caller the whole value. */
		if (context->optlen > PAGE)
			context->optlen = 0;
		return ALLOW;
	}
	if (!socket)
		return REFUSE;
	original = bpf_sk_storage_get(&originals, socket, 0, 0);
	if (original)
		return answer(context, &original->destination, original->port);
	/*
	 * sk_lookup handed the connection over: its local address is the destination. On one of our own ports, the
	 * destination is not known, and the proxy must not take its own listener for it.
	 */
	if (is_reserved_port(socket->src_port)) {
		count(COUNT_ORIGINAL_DESTINATION_UNKNOWN);
		return REFUSE;
	}
	if (context->level == SOL_IP)
		local = address4(socket->src_ip4);
	else
		local = (struct address){ .word = { socket->src_ip6[0], socket->src_ip6[1], socket->src_ip6[2],
						    socket->src_ip6[3] } };
	return answer(context, &local, socket->src_port);
}
