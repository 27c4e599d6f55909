/* The maps: those that the agent writes and the programs read, and those by which the programs tell each other something. */
#ifndef AMBIT_MAPS_H
#define AMBIT_MAPS_H

#include "connection.h"

/* Settings of the node, one element. */
struct settings {
	/* Id of the proxy's cgroup: its processes are never captured, even where the pods' cgroup lies above it. */
	__u64 proxy_cgroup;
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct settings);
} settings SEC(".maps");

/* SHA-256 of the object that the pinned programs came from. Only user space uses it. */
struct object_hash {
	__u8 byte[32];
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct object_hash);
} object_hash SEC(".maps");

/* A pod whose outbound connections are captured, by the cookie of its network namespace. */
struct pod {
	/* Its own addresses, which getsockname shows on captured connections. All zero: it has none of that family. */
	struct address ipv4;
	struct address ipv6;
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct pod);
} pods SEC(".maps");

/* The cookie of the network namespace that has an address: sk_lookup has no other way to learn the cookie. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 16384);
	MAP_TYPE(key, struct address);
	MAP_TYPE(value, __u64);
} pod_addresses SEC(".maps");

struct endpoint {
	struct address address;
	__u16 port;
	__u16 unused;
};

/* The captured destinations, each with the port of the outbound listener for it. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 524288);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, struct endpoint);
	MAP_TYPE(value, __u32);
} destinations SEC(".maps");

/* The ports that the kubelet probes on pods of this node. The value has no meaning. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 16384);
	MAP_TYPE(key, struct endpoint);
	MAP_TYPE(value, __u32);
} probe_ports SEC(".maps");

/* The original destination of a redirected connection. */
struct original {
	struct address destination;
	/* The pod's own address, which getsockname shows. Kept here, it holds also after the pod has left the mesh. */
	struct address source;
	__u16 port;
	__u16 unused;
};

/* On the application's socket from connect on, and on the proxy's socket from accept on. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_SK_STORAGE);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, int);
	MAP_TYPE(value, struct original);
} originals SEC(".maps");

/* The original destination between connect and accept: on its way from the one socket to the other. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 65536);
	MAP_TYPE(key, struct connection);
	MAP_TYPE(value, struct original);
} redirected SEC(".maps");

/* The proxy's open deliveries. The value is the cookie of the pod's network namespace. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 65536);
	MAP_TYPE(key, struct connection);
	MAP_TYPE(value, __u64);
} proxy_conns SEC(".maps");

/* The kubelet's open connections to declared probe ports. The value has no meaning. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_NUMBER(max_entries, 16384);
	MAP_TYPE(key, struct connection);
	MAP_TYPE(value, __u64);
} probe_conns SEC(".maps");

/* Addresses of pods that may speak mTLS to pods of this node. The value has no meaning. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 262144);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, struct address);
	MAP_TYPE(value, __u32);
} mtls_callers SEC(".maps");

/* When the agent's last confirmation of `mtls_callers` ends, by bpf_ktime_get_ns; one element. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u64);
} callers_known_until SEC(".maps");

/* Ports of pods that take plaintext and whose server may speak first. The value has no meaning. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 65536);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, struct endpoint);
	MAP_TYPE(value, __u32);
} brief_ports SEC(".maps");

struct listener_key {
	__u64 netns;
	__u32 family;
	/* 1 for the pod's brief inbound listener, 0 for the other. */
	__u16 brief;
	/* A listener has a socket for each of the proxy's workers, and each socket a slot: LISTENER_SLOTS. */
	__u16 slot;
};

/* The sockets of the proxy's inbound listeners. The kernel deletes an entry when its socket closes. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_SOCKHASH);
	MAP_NUMBER(max_entries, 131072);
	MAP_TYPE(key, struct listener_key);
	MAP_TYPE(value, __u64);
} worker_listeners SEC(".maps");

/* Sockets that one listener may have. The proxy's other sockets get no connections. */
#define LISTENER_SLOTS 256

struct listener_slots {
	/* All slots that any listener has had are below this number. */
	__u32 end;
	/* Makes the choice of a slot unpredictable. */
	__u32 seed;
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_ARRAY);
	MAP_NUMBER(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct listener_slots);
} listener_slots SEC(".maps");

/*
 * What becomes of a connection to a pod whose inbound listener is missing, by the cookie of the network namespace: an element
 * of enum without_listener. Without an entry it is refused.
 */
enum without_listener {
	/* The pod joins: dropped without an answer. */
	WITHOUT_LISTENER_DROP = 1,
	/* The agent prefers availability: the application gets it. */
	WITHOUT_LISTENER_PASS = 2,
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, __u32);
} silent_pods SEC(".maps");

/* The agent's sockets that discard all packets, by address family: agent/kernel/silent-listeners.ts. */
struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_SOCKHASH);
	MAP_NUMBER(max_entries, 2);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u64);
} silent_listeners SEC(".maps");

/*
 * What an agent notes of each sandbox for the agent after it, by the cookie of the network namespace. Only user space uses it:
 * agent/kernel/maps/sandbox-records.ts.
 */
struct sandbox {
	/* UID of the pod and path of the network namespace, each ended by a zero byte. */
	char uid[256];
	char netns[512];
	/* Bits of agent/kernel/delivery-setup.ts: what has to be undone in the network namespace. */
	__u32 undo;
	/* 0 outside, 1 waiting, 2 guarded, 3 joining, 4 captured, 5 leaving, 6 left; agent/model/pod-state.ts explains them. */
	__u32 phase;
};

struct {
	MAP_NUMBER(type, BPF_MAP_TYPE_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_NUMBER(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct sandbox);
} sandboxes SEC(".maps");

#endif
