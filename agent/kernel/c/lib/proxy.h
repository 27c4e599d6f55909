/* The node's proxy. */
#ifndef AMBIT_PROXY_H
#define AMBIT_PROXY_H

#include "maps.h"

/* The cgroup tells the proxy from a process of a pod: no process can choose that itself, as it can SO_MARK. */
INLINE int is_proxy(void)
{
	__u32 zero = 0;
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);

	return s && s->proxy_cgroup && s->proxy_cgroup == bpf_get_current_cgroup_id();
}

#endif
