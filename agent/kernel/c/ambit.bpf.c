/* The programs of the pods' cgroup, the proxy's, the kubelet's and of each pod's network namespace: one object. */
#include "connect.bpf.c"
#include "bind.bpf.c"
#include "names.bpf.c"
#include "pod-sockops.bpf.c"
#include "proxy-sockops.bpf.c"
#include "delivery-port.bpf.c"
#include "kubelet-sockops.bpf.c"
#include "original-destination.bpf.c"
#include "inbound.bpf.c"

char license_text[] SEC("license") = "GPL";
