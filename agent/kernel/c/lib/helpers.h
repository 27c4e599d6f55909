/*
 * Section names, the declaration of maps for BTF, and the kernel's helpers by their numbers in the UAPI (enum bpf_func_id). So
 * no libbpf header has to be installed.
 */
#ifndef AMBIT_HELPERS_H
#define AMBIT_HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>

#define SEC(name) __attribute__((section(name), used))
#define INLINE static __attribute__((always_inline)) inline

/* The type of a member holds the number or the type; the loader reads both from BTF. */
#define MAP_NUMBER(name, value) int(*name)[value]
#define MAP_TYPE(name, value) __typeof__(value) *name

#define HELPER(result, name, arguments) static result(*const bpf_##name) arguments = (void *)BPF_FUNC_##name

HELPER(void *, map_lookup_elem, (void *map, const void *key));
HELPER(long, map_update_elem, (void *map, const void *key, const void *value, __u64 flags));
HELPER(long, map_delete_elem, (void *map, const void *key));
HELPER(__u64, ktime_get_ns, (void));
HELPER(__u32, get_prandom_u32, (void));
HELPER(__u64, get_current_cgroup_id, (void));
HELPER(__u64, get_netns_cookie, (void *context));
HELPER(__u64, get_socket_cookie, (void *context));
HELPER(void *, sk_storage_get, (void *map, void *socket, void *initial, __u64 flags));
HELPER(long, sk_storage_delete, (void *map, void *socket));
HELPER(long, sock_hash_update, (struct bpf_sock_ops * context, void *map, void *key, __u64 flags));
HELPER(long, sock_ops_cb_flags_set, (struct bpf_sock_ops * context, int flags));
HELPER(long, sk_assign, (void *context, void *socket, __u64 flags));
HELPER(struct bpf_sock *, sk_lookup_tcp, (void *context, void *tuple, __u32 size, __u64 netns, __u64 flags));
HELPER(long, sk_release, (void *socket));
HELPER(long, bind, (struct bpf_sock_addr * context, void *address, int size));
HELPER(long, setsockopt, (struct bpf_sock_addr * context, int level, int name, void *value, int size));
HELPER(int, set_retval, (int retval));

#define swap16(value) __builtin_bswap16(value)
#define swap32(value) __builtin_bswap32(value)

/* The loopback device has this index in every network namespace. */
#define LOOPBACK_INTERFACE 1

enum family { FAMILY_IPV4 = 2, FAMILY_IPV6 = 10 };
enum protocol { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };
enum verdict { REFUSE = 0, ALLOW = 1 };
enum error_number { EACCES = 13, EEXIST = 17, EADDRINUSE = 98, ENOMEM = 12, ECONNREFUSED = 111 };

/*
 * Reads a field of a context at a constant offset. Without it clang may first compute a pointer into the context and then
 * read through it, which the verifier refuses ("dereference of modified ctx ptr").
 */
#define READ32(context, field)                                                                                         \
	({                                                                                                             \
		__u32 value_;                                                                                          \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                                                                  \
			     : "=r"(value_)                                                                            \
			     : "r"(context), "i"(__builtin_offsetof(__typeof__(*(context)), field)));                  \
		value_;                                                                                                \
	})

/* Refuses the system call of the hook; its caller sees this error instead of EPERM. */
INLINE int refuse(int error)
{
	bpf_set_retval(-error);
	return REFUSE;
}

#endif
