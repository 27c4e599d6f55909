/* Addresses of both families in one form: IPv4 as ::ffff:a.b.c.d, words in network byte order. */
#ifndef AMBIT_ADDRESS_H
#define AMBIT_ADDRESS_H

#include "helpers.h"

struct address {
	__u32 word[4];
};

#define MAPPED_PREFIX swap32(0x0000ffff)
#define LOOPBACK4 swap32(0x7f000001)
#define LOOPBACK6_LAST swap32(1)

INLINE struct address address4(__u32 word)
{
	return (struct address){ .word = { 0, 0, MAPPED_PREFIX, word } };
}

INLINE int is_ipv4(const struct address *a)
{
	return (a->word[0] | a->word[1]) == 0 && a->word[2] == MAPPED_PREFIX;
}

INLINE int is_loopback4(__u32 word)
{
	return (word & swap32(0xff000000)) == swap32(0x7f000000);
}

INLINE int is_loopback(const struct address *a)
{
	if (is_ipv4(a))
		return is_loopback4(a->word[3]);
	return (a->word[0] | a->word[1] | a->word[2]) == 0 && a->word[3] == LOOPBACK6_LAST;
}

/* 0.0.0.0, :: and ::ffff:0.0.0.0: the kernel takes them for the loopback address where they are the destination. */
INLINE int is_unspecified(const struct address *a)
{
	return (a->word[0] | a->word[1] | a->word[3]) == 0 && (a->word[2] == 0 || a->word[2] == MAPPED_PREFIX);
}

INLINE int is_same_address(const struct address *a, const struct address *b)
{
	return ((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
		(a->word[3] ^ b->word[3])) == 0;
}

/* Read and change the address and port in the context of a program at connect, bind, sendmsg, getpeername or getsockname. */
INLINE struct address target6(struct bpf_sock_addr *context)
{
	return (struct address){ .word = { READ32(context, user_ip6[0]), READ32(context, user_ip6[1]),
					   READ32(context, user_ip6[2]), READ32(context, user_ip6[3]) } };
}

INLINE __u16 target_port(struct bpf_sock_addr *context)
{
	return swap16((__u16)READ32(context, user_port));
}

INLINE void set_target4(struct bpf_sock_addr *context, const struct address *address, __u16 port)
{
	context->user_ip4 = address->word[3];
	context->user_port = swap16(port);
}

INLINE void set_target6(struct bpf_sock_addr *context, const struct address *address, __u16 port)
{
	context->user_ip6[0] = address->word[0];
	context->user_ip6[1] = address->word[1];
	context->user_ip6[2] = address->word[2];
	context->user_ip6[3] = address->word[3];
	context->user_port = swap16(port);
}

#endif
