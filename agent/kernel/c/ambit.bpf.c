/* One object of all programs. A file's name says where its programs are attached, and at which hook. */
#include "pod-connect.bpf.c"
#include "pod-bind.bpf.c"
#include "pod-names.bpf.c"
#include "pod-sockops.bpf.c"
#include "pod-inbound.bpf.c"
#include "proxy-connect.bpf.c"
#include "proxy-sockops.bpf.c"
#include "proxy-getsockopt.bpf.c"
#include "kubelet-sockops.bpf.c"

char license_text[] SEC("license") = "GPL";
