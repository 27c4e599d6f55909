"""sniff.py INTERFACE MARKER: reads every TCP segment off an interface until its input ends. Prints, as JSON, one object for each
connection that carried bytes: who opened it to whom, whether each direction is TLS records from its first byte to its last, the
version of TLS that its server chose, and how often MARKER was there to be read. "open" when it listens."""
import json, select, socket, struct, sys

interface, marker = sys.argv[1], sys.argv[2].encode()
SYN, RST = 2, 4
PACKET_OUTGOING, SO_RCVBUFFORCE = 4, 33
HANDSHAKE, CHANGE_CIPHER, ALERT, DATA, SERVER_HELLO, SUPPORTED_VERSIONS = 22, 20, 21, 23, 2, 43

sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(0x0003))
sniffer.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
sniffer.bind((interface, 0))


class Direction:
    """The bytes of one direction, put into order."""

    def __init__(self):
        self.next = None
        self.early = {}
        self.bytes = bytearray()

    def add(self, seq, payload):
        if self.next is None:
            self.next = seq
        self.early.setdefault(seq, b"")
        self.early[seq] = max(self.early[seq], payload, key=len)
        while True:
            # Sent again, in whole or in part, or what comes next.
            fitting = [each for each in self.early if (self.next - each) & 0xFFFFFFFF < 1 << 31]
            if not fitting:
                return
            for each in fitting:
                payload = self.early.pop(each)
                fresh = payload[(self.next - each) & 0xFFFFFFFF :]
                self.bytes += fresh
                self.next = (self.next + len(fresh)) & 0xFFFFFFFF

    def records(self):
        """(type, body) of each TLS record; None where the bytes are something else."""
        found, at = [], 0
        while at + 5 <= len(self.bytes):
            kind, version, length = struct.unpack("!BHH", self.bytes[at : at + 5])
            if kind not in (CHANGE_CIPHER, ALERT, HANDSHAKE, DATA) or version not in (0x0301, 0x0303) or length > 16640:
                return None
            found.append((kind, bytes(self.bytes[at + 5 : at + 5 + length])))
            at += 5 + length
        return found or None


def is_tls(direction):
    """A handshake first, and behind it nothing in the clear but the one byte that middleboxes are given."""
    records = direction.records()
    if records is None or records[0][0] != HANDSHAKE:
        return False
    return all(kind == DATA or body == b"\x01" for kind, body in records[1:])


def version(direction):
    """What ServerHello says under supported_versions (RFC 8446, 4.2.1)."""
    records = direction.records() or []
    if not records or records[0][0] != HANDSHAKE or records[0][1][0] != SERVER_HELLO:
        return None
    hello = records[0][1]
    at = 39 + hello[38] + 3
    end = at + 2 + struct.unpack("!H", hello[at : at + 2])[0]
    at += 2
    while at < end:
        kind, length = struct.unpack("!HH", hello[at : at + 4])
        if kind == SUPPORTED_VERSIONS:
            return hello[at + 4 : at + 4 + length].hex()
        at += 4 + length
    return None


connections = {}


def take(packet):
    if packet[0] >> 4 == 4:
        if packet[9] != 6:
            return
        start, end = (packet[0] & 15) * 4, struct.unpack("!H", packet[2:4])[0]
        source, destination = (socket.inet_ntop(socket.AF_INET, packet[at : at + 4]) for at in (12, 16))
    else:
        if packet[6] != 6:
            return
        start, end = 40, 40 + struct.unpack("!H", packet[4:6])[0]
        source, destination = (socket.inet_ntop(socket.AF_INET6, packet[at : at + 16]) for at in (8, 24))
    sport, dport, seq = struct.unpack("!HHI", packet[start : start + 8])
    flags = packet[start + 13]
    sender, receiver = (source, sport), (destination, dport)
    if flags & (SYN | 16) == SYN:
        connections[(sender, receiver)] = (Direction(), Direction())
        connections[(sender, receiver)][0].next = (seq + 1) & 0xFFFFFFFF
    pair, which = ((sender, receiver), 0) if (sender, receiver) in connections else ((receiver, sender), 1)
    if pair not in connections or flags & RST:
        return
    if flags & SYN:
        connections[pair][which].next = (seq + 1) & 0xFFFFFFFF
    payload = packet[start + (packet[start + 12] >> 4) * 4 : end]
    if payload:
        connections[pair][which].add(seq, payload)


print("open", flush=True)
while True:
    readable, _, _ = select.select([sniffer, sys.stdin], [], [])
    if sniffer in readable:
        packet, (_, protocol, direction, _, _) = sniffer.recvfrom(1 << 17)
        if protocol in (0x0800, 0x86DD):
            take(packet)
    elif sys.stdin in readable:
        break

answer = []
for ((client, _), (server, port)), (sent, received) in connections.items():
    if not sent.bytes and not received.bytes:
        continue
    answer.append(
        {
            "client": client,
            "server": server,
            "port": port,
            "tls": is_tls(sent) and is_tls(received),
            "version": version(received),
            "marker": sent.bytes.count(marker) + received.bytes.count(marker),
            "missing": len(sent.early) + len(received.early),
        }
    )
print(json.dumps(answer))
