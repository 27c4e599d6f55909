/*
 * cgroup/bind4 and bind6 on the pods' cgroup: only the proxy binds a reserved port in a captured pod. Another
 * process could otherwise keep the proxy from listening there, or share its listeners by SO_REUSEPORT.
 */
#include "lib/counters.h"
#include "lib/maps.h"
#include "lib/ports.h"
#include "lib/proxy.h"

INLINE int may_bind(struct bpf_sock_addr *context)
{
	__u64 netns;

	if (READ32(context, protocol) != PROTOCOL_TCP || !is_reserved_port(target_port(context)) || is_proxy())
		return ALLOW;
	netns = bpf_get_netns_cookie(context);
	if (!bpf_map_lookup_elem(&pods, &netns))
		return ALLOW;
	count(COUNT_BIND_RESERVED_PORT_REFUSED);
	return refuse(EADDRINUSE);
}

SEC("cgroup/bind4")
int pod_bind4(struct bpf_sock_addr *context)
{
	return may_bind(context);
}

SEC("cgroup/bind6")
int pod_bind6(struct bpf_sock_addr *context)
{
	return may_bind(context);
}
