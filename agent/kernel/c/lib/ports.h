/* The ports that Ambit binds inside a pod: agent/lib/ports.ts has the same, and a test compares the two. */
#ifndef AMBIT_PORTS_H
#define AMBIT_PORTS_H

#include "helpers.h"

#define OUTBOUND_PORT_FIRST 15001
#define OUTBOUND_PORT_LAST 15003
#define INBOUND_PORT 15006
#define BRIEF_PORT 15007

INLINE int is_outbound_port(__u16 port)
{
	return port >= OUTBOUND_PORT_FIRST && port <= OUTBOUND_PORT_LAST;
}

INLINE int is_inbound_port(__u16 port)
{
	return port == INBOUND_PORT || port == BRIEF_PORT;
}

INLINE int is_reserved_port(__u16 port)
{
	return is_outbound_port(port) || is_inbound_port(port);
}

#endif
