"""walker.py: tries to reach a server in ways that a process may think of. Reads one attempt a line, as JSON, and prints
what became of it, in any order. Of an attempt: id, to [address, port]; if wanted: bind [address, port], mark (SO_MARK),
transparent (IP_TRANSPARENT), device (SO_BINDTODEVICE), tls {certificate, key, alpn, newest, name}, send (text), wait (seconds
for the answer), hold (leave the connection as it is then). What became of it: id, connected, answer (what came back), end (how it ended)."""
import errno, json, socket, ssl, struct, sys, threading

SO_BINDTODEVICE, SO_MARK, IP_TRANSPARENT, IPV6_TRANSPARENT = 25, 36, 19, 75
CONNECT_SECONDS = 1
printing = threading.Lock()
held = []


def prepared(attempt, family):
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(CONNECT_SECONDS)
    if attempt.get("mark"):
        sock.setsockopt(socket.SOL_SOCKET, SO_MARK, attempt["mark"])
    if attempt.get("device"):
        sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, attempt["device"].encode() + b"\0")
    if attempt.get("transparent"):
        level, option = (socket.SOL_IP, IP_TRANSPARENT) if family == socket.AF_INET else (41, IPV6_TRANSPARENT)
        sock.setsockopt(level, option, 1)
    if attempt.get("bind"):
        sock.bind(tuple(attempt["bind"]))
    return sock


def secured(sock, tls):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if tls.get("newest") == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if tls.get("certificate"):
        context.load_cert_chain(tls["certificate"], tls["key"])
    if tls.get("alpn"):
        context.set_alpn_protocols(tls["alpn"])
    return context.wrap_socket(sock, server_hostname=tls.get("name"))


def attempted(attempt):
    result = {"id": attempt["id"], "connected": False, "answer": "", "end": "closed"}
    address, port = attempt["to"]
    try:
        sock = prepared(attempt, socket.AF_INET6 if ":" in address else socket.AF_INET)
        sock.connect((address, port))
        result["connected"] = True
        sock.settimeout(attempt.get("wait", 3))
        if attempt.get("hold"):
            held.append(sock)
        if attempt.get("tls"):
            sock = secured(sock, attempt["tls"])
        sock.sendall(attempt.get("send", "").encode())
        while part := sock.recv(65536):
            result["answer"] += part.decode("latin1")
            # A line is the whole answer of what echoes; HTTP is asked to close.
            if not attempt.get("send", "").startswith("GET"):
                break
    except (socket.timeout, TimeoutError):
        result["end"] = "ETIMEDOUT"
    except ssl.SSLError as error:
        result["end"] = f"TLS {error.reason}"
    except OSError as error:
        result["end"] = errno.errorcode.get(error.errno, str(error))
    with printing:
        print(json.dumps(result), flush=True)


for line in sys.stdin:
    threading.Thread(target=attempted, args=(json.loads(line),), daemon=True).start()
