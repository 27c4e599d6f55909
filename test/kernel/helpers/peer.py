"""The other side of the tests' connections: an application, a client, and a stand-in for the node's proxy.

Speaks JSON lines on standard output. Every server says first who it is and what it sees of the connection, then echoes lines.
"""

import ctypes
import json
import os
import socket
import sys
import threading

SO_ORIGINAL_DST = 80
IP_TRANSPARENT = 19
IPV6_TRANSPARENT = 75
libc = ctypes.CDLL(None, use_errno=True)


def say(**fields):
    print(json.dumps(fields), flush=True)


def enter(netns):
    with open(netns) as file:
        if libc.setns(file.fileno(), 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def text(name):
    return f"{name[0]}:{name[1]}"


def original(connection):
    v6 = connection.family == socket.AF_INET6
    try:
        raw = connection.getsockopt(41 if v6 else 0, SO_ORIGINAL_DST, 128)
    except OSError as error:
        return f"errno {error.errno}"
    port = int.from_bytes(raw[2:4], "big")
    address = socket.inet_ntop(socket.AF_INET6, raw[8:24]) if v6 else socket.inet_ntop(socket.AF_INET, raw[4:8])
    return f"{address}:{port}"


def echo(connection, greeting):
    with connection:
        try:
            connection.sendall((json.dumps(greeting) + "\n").encode())
            while data := connection.recv(65536):
                connection.sendall(data)
        except ConnectionResetError:
            pass


def listen(address, port, is_shared=False):
    listener = socket.socket(family_of(address), socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind((address, port))
    listener.listen(128)
    return listener


def accept_all(listener, greet):
    while True:
        connection, peer = listener.accept()
        threading.Thread(target=echo, args=(connection, greet(connection, peer)), daemon=True).start()


def serve(listeners, greet):
    for listener in listeners:
        threading.Thread(target=accept_all, args=(listener, greet), daemon=True).start()
    say(ready=True)
    sys.stdin.read()


def app(*addresses):
    """app ADDRESS PORT …: an application."""
    pairs = zip(addresses[::2], addresses[1::2])
    listeners = [listen(address, int(port)) for address, port in pairs]
    serve(listeners, lambda connection, peer: {"by": "app", "peer": text(peer), "local": text(connection.getsockname())})


def proxy(*namespaces):
    """proxy NETNS …: listens as the node's proxy does, inside each network namespace."""
    listen_within(namespaces, (15001, 15002, 15003, 15006))


def workers(netns, number):
    """workers NETNS NUMBER: the proxy's inbound listener with a socket for each worker, which says who it is."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    enter(netns)
    by = {}
    for worker in range(int(number)):
        for address in ("127.0.0.1", "::1"):
            by[listen(address, 15006, is_shared=True)] = f"worker {worker}"
    libc.setns(home, 0x40000000)
    for listener, name in by.items():
        greet = lambda connection, peer, name=name: {"by": name, "peer": text(peer), "local": ""}
        threading.Thread(target=accept_all, args=(listener, greet), daemon=True).start()
    say(ready=True)
    sys.stdin.read()


def shared(*addresses):
    """shared ADDRESS PORT …: an application that shares its ports with everybody."""
    pairs = zip(addresses[::2], addresses[1::2])
    listeners = [listen(address, int(port), is_shared=True) for address, port in pairs]
    serve(listeners, lambda connection, peer: {"by": "shared", "peer": text(peer), "local": ""})


def brief(*namespaces):
    """brief NETNS …: the proxy's listener for who is not waited for long."""
    listen_within(namespaces, (15007,))


def listen_within(namespaces, ports):
    listeners = []
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    for netns in namespaces:
        enter(netns)
        for port in ports:
            listeners += [listen("127.0.0.1", port), listen("::1", port)]
        libc.setns(home, 0x40000000)

    def greet(connection, peer):
        return {
            "by": "proxy",
            "peer": text(peer),
            "local": text(connection.getsockname()),
            "original": original(connection),
        }

    serve(listeners, greet)


def dial(address, port, source=None, mark=None, timeout=2):
    connection = socket.socket(family_of(address), socket.SOCK_STREAM)
    connection.settimeout(float(timeout))
    if mark:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(mark))
    if source:
        if connection.family == socket.AF_INET6:
            connection.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
        else:
            connection.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        connection.bind((source, 0))
    connection.connect((address, int(port)))
    return connection


def converse(connection):
    """Tells what the dialling side sees, then answers each line of standard input with what the server echoes."""
    lines = connection.makefile("rw", newline="\n")
    greeting = json.loads(lines.readline())
    say(ok=True, peername=text(connection.getpeername()), sockname=text(connection.getsockname()), server=greeting)
    for line in sys.stdin:
        lines.write(line)
        lines.flush()
        say(echo=lines.readline().rstrip("\n"))


def client(address, port, source=None, mark=None, timeout=2):
    """client ADDRESS PORT [SOURCE|-] [MARK|0] [TIMEOUT]: one connection; SOURCE is bound transparently."""
    try:
        connection = dial(address, port, None if source == "-" else source, None if mark == "0" else mark, timeout)
    except OSError as error:
        say(ok=False, error=type(error).__name__, errno=error.errno)
        return
    try:
        converse(connection)
    except (OSError, ValueError) as error:
        say(ok=False, error=type(error).__name__, errno=getattr(error, "errno", None))


IP_UNICAST_IF = 50
IPV6_UNICAST_IF = 76
TCP_FASTOPEN_CONNECT = 30
IPPROTO_MPTCP = 262


def odd(way, address, port):
    """odd WAY ADDRESS PORT: one connection in an unusual way."""
    try:
        protocol = IPPROTO_MPTCP if way == "mptcp" else 0
        connection = socket.socket(family_of(address), socket.SOCK_STREAM, protocol)
        connection.settimeout(1)
        to = (address, int(port))
        if way == "device":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        if way == "unicast_if":
            option = (socket.IPPROTO_IPV6, IPV6_UNICAST_IF) if ":" in address else (socket.SOL_IP, IP_UNICAST_IF)
            connection.setsockopt(*option, socket.htonl(socket.if_nametoindex("eth0")))
        if way == "fastopen_connect":
            connection.setsockopt(socket.SOL_TCP, TCP_FASTOPEN_CONNECT, 1)
        if way == "fastopen":
            connection.sendto(b"early\n", socket.MSG_FASTOPEN, to)
        else:
            connection.connect(to)
        if way == "device_after":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        if way == "fastopen_connect":
            connection.send(b"early\n")
        converse(connection)
    except (OSError, ValueError) as error:
        say(ok=False, error=type(error).__name__, errno=getattr(error, "errno", None))


def takers(address, port, number):
    """takers ADDRESS PORT NUMBER: who takes that many connections, each named once."""
    try:
        by = set()
        for _ in range(int(number)):
            with dial(address, port) as connection:
                by.add(json.loads(connection.makefile().readline())["by"])
        say(ok=True, takers=sorted(by))
    except (OSError, ValueError) as error:
        say(ok=False, error=type(error).__name__, errno=getattr(error, "errno", None))


def deliver(netns, *arguments):
    """deliver NETNS ADDRESS PORT SOURCE MARK: as the proxy delivers, from inside the pod's network namespace."""
    enter(netns)
    client(*arguments)


def udp(address, port, connected):
    """udp ADDRESS PORT connected|unconnected: one datagram there and back, and from whom it came."""
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        try:
            if connected == "connected":
                sock.connect((address, int(port)))
                sock.send(b"ping")
                say(ok=True, answer=sock.recv(100).decode(), peername=text(sock.getpeername()))
            else:
                sock.sendto(b"ping", (address, int(port)))
                answer, sender = sock.recvfrom(100)
                say(ok=True, answer=answer.decode(), sender=text(sender))
        except OSError as error:
            say(ok=False, error=type(error).__name__, errno=error.errno)


def udpapp(address, port, name):
    """udpapp ADDRESS PORT NAME: answers each datagram with NAME."""
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.bind((address, int(port)))
        say(ready=True)
        while True:
            sock.sendto(name.encode(), sock.recvfrom(100)[1])


def bind(address, port):
    """bind ADDRESS PORT: whether it may."""
    try:
        listen(address, int(port)).close()
        say(ok=True)
    except OSError as error:
        say(ok=False, error=type(error).__name__, errno=error.errno)


COMMANDS = (app, proxy, workers, shared, brief, client, odd, takers, deliver, udp, udpapp, bind)
{command.__name__: command for command in COMMANDS}[sys.argv[1]](*sys.argv[2:])
