"""Prints how many nf_tables tables this network namespace has, asked by netlink (NFT_MSG_GETTABLE), and the legacy
iptables tables that are loaded in it: what nft and iptables-save would list, without either."""
import socket, struct

NETLINK_NETFILTER, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE = 12, 10, 1
NLM_F_REQUEST, NLM_F_DUMP, NLMSG_ERROR, NLMSG_DONE = 1, 0x300, 2, 3
tables = 0
try:
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    kind = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE
    netlink.send(struct.pack("=IHHIIBBH", 20, kind, NLM_F_REQUEST | NLM_F_DUMP, 1, 0, 0, 0, 0))
    done = False
    while not done:
        data = netlink.recv(65536)
        while data:
            size, answer = struct.unpack("=IH", data[:6])
            if answer in (NLMSG_DONE, NLMSG_ERROR):
                done = True
                break
            tables += 1
            data = data[(size + 3) & ~3 :]
except OSError:
    pass  # A kernel without nf_tables has no rules of it.
legacy = []
for name in ("ip_tables_names", "ip6_tables_names"):
    try:
        legacy += open(f"/proc/net/{name}").read().split()
    except OSError:
        pass
print(tables, len(legacy))
