/* A TCP connection by its addresses and ports, from the view of the side that dialled. */
#ifndef AMBIT_CONNECTION_H
#define AMBIT_CONNECTION_H

#include "address.h"

struct connection {
	/* Cookie of the network namespace where both addresses are valid (loopback), or 0: they are unique on the node. */
	__u64 netns;
	struct address local;
	struct address remote;
	__u16 local_port;
	__u16 remote_port;
	__u32 unused;
};

INLINE void read_addresses(struct bpf_sock_ops *context, struct address *local, struct address *remote)
{
	if (READ32(context, family) == FAMILY_IPV4) {
		*local = address4(READ32(context, local_ip4));
		*remote = address4(READ32(context, remote_ip4));
		return;
	}
	*local = (struct address){ .word = { READ32(context, local_ip6[0]), READ32(context, local_ip6[1]),
					     READ32(context, local_ip6[2]), READ32(context, local_ip6[3]) } };
	*remote = (struct address){ .word = { READ32(context, remote_ip6[0]), READ32(context, remote_ip6[1]),
					      READ32(context, remote_ip6[2]), READ32(context, remote_ip6[3]) } };
}

/* The connection of a socket that dials or has dialled. */
INLINE struct connection dialled_by(struct bpf_sock_ops *context, __u64 netns)
{
	struct connection c = { .netns = netns };

	read_addresses(context, &c.local, &c.remote);
	c.local_port = READ32(context, local_port);
	c.remote_port = swap32(READ32(context, remote_port));
	return c;
}

/* The connection of an accepted socket: the other side has dialled. */
INLINE struct connection accepted_by(struct bpf_sock_ops *context, __u64 netns)
{
	struct connection c = { .netns = netns };

	read_addresses(context, &c.remote, &c.local);
	c.remote_port = READ32(context, local_port);
	c.local_port = swap32(READ32(context, remote_port));
	return c;
}

#endif
