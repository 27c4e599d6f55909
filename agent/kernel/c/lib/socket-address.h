/* struct sockaddr_in and sockaddr_in6, as system calls and bpf_bind take them. Ports and addresses in network byte order. */
#ifndef AMBIT_SOCKET_ADDRESS_H
#define AMBIT_SOCKET_ADDRESS_H

#include "helpers.h"

struct socket_address4 {
	__u16 family;
	__u16 port;
	__u32 address;
	__u64 zero;
};

struct socket_address6 {
	__u16 family;
	__u16 port;
	__u32 flow;
	__u32 address[4];
	__u32 scope;
};

#endif
