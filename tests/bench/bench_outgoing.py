#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_outgoing [FOLDER]: answers to Postfix by assay-outgoing, and by postfix-mta-sts-resolver if FOLDER (or
MTA_STS_RESOLVER) holds its unpacked package and those it needs: the same domains, DNS server, policy hosts and client.

Uncached: DOMAINS domains that were never asked for, CONNECTIONS at once; in ROUNDS parts, each program in turn, since
the machine may be busier in one minute than in the next. Cached: the same ones again, on one connection.
Root (a network of its own), openssl."""
import http.server
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../world")]
sys.dont_write_bytecode = True
import figures  # noqa: E402
import outgoing  # noqa: E402
import space  # noqa: E402

DOMAINS, CONNECTIONS, ROUNDS = 300, 32, 6
CACHED = 40000 if os.environ.get("QUICK") else 400000
GOAL = 100000  # our own: cached answers a second on one core
TYPES = {"A": 1, "MX": 15, "TXT": 16}


def name_octets(name):
    return b"".join(bytes([len(w)]) + w.encode() for w in name.split(".")) + b"\0"


class Dns(threading.Thread):
    """Answers for every domain under bench.example: an MX, its address, a record of MTA-STS and its host."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("203.0.113.53", 53))
        self.asked = 0

    def answer(self, name, kind):
        if not name.endswith(".bench.example"):
            return None
        if kind == TYPES["TXT"] and name.startswith("_mta-sts."):
            return b"\x0cv=STSv1;id=1"
        if kind == TYPES["MX"] and not name.startswith(("mx.", "mta-sts.", "_")):
            return struct.pack("!H", 10) + name_octets("mx." + name)
        if kind == TYPES["A"] and name.startswith(("mx.", "mta-sts.")):
            return socket.inet_aton("192.0.2.80")
        return None

    def run(self):
        while True:
            packet, client = self.socket.recvfrom(4096)
            self.asked += 1
            at, words = 12, []
            while packet[at]:
                words.append(packet[at + 1 : at + 1 + packet[at]].decode("latin-1").lower())
                at += packet[at] + 1
            kind = struct.unpack("!H", packet[at + 1 : at + 3])[0]
            data = self.answer(".".join(words), kind)
            head = packet[:2] + struct.pack("!HHHHH", 0x8580, 1, 1 if data else 0, 0 if data else 1, 0)
            soa = b"\0" + struct.pack("!HHIH", 6, 1, 60, 22) + b"\0\0" + struct.pack("!IIIII", 1, 60, 60, 60, 60)
            found = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, len(data)) + data if data else soa
            self.socket.sendto(head + packet[12 : at + 5] + found, client)


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers.get("Host", "").split(":")[0]
        text = f"version: STSv1\nmode: enforce\nmx: mx.{host[8:]}\nmax_age: 86400\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def certificates(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl(*new, "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", "-subj", "/CN=ca")
    names = ",".join(f"DNS:mta-sts.{kind}{i}.bench.example" for kind in "at" for i in range(DOMAINS))
    with open(f"{folder}/names", "w", encoding="ascii") as f:
        f.write(f"[req]\ndistinguished_name=d\n[d]\n[x]\nbasicConstraints=CA:FALSE\nsubjectAltName={names}\n")
    ca = ["-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-config", f"{folder}/names", "-extensions", "x"]
    openssl(*new, *ca, "-keyout", f"{folder}/web.key", "-out", f"{folder}/web.pem", "-subj", "/CN=web")


def serve_web(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/web.pem", f"{folder}/web.key")

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 512

        def handle_error(self, *_):
            pass

    server = Server(("192.0.2.80", 443), Web)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def netstring(text):
    return f"{len(text)}:{text},".encode()


def uncached(connect, map_name, kind, part, words):
    """The seconds of one part of the domains, each asked once; words counts the answers by their first word."""
    waiting, lock = [f"{kind}{i}.bench.example" for i in range(DOMAINS) if i % ROUNDS == part], threading.Lock()

    def client():
        with connect() as s:
            while True:
                with lock:
                    if not waiting:
                        return
                    name = waiting.pop()
                s.sendall(netstring(f"{map_name} {name}"))
                data = b""
                while not data.endswith(b","):
                    got = s.recv(4096)
                    if not got:
                        break
                    data += got
                word = data.split(b":", 1)[-1].split(b" ", 1)[0].decode() or "nothing"
                with lock:
                    words[word] = words.get(word, 0) + 1

    begin = time.monotonic()
    threads = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return time.monotonic() - begin


def cached(connect, map_name, kind):
    """Answers a second, on one connection, the next question on its way while one is answered."""
    requests = [netstring(f"{map_name} {kind}{i % DOMAINS}.bench.example") for i in range(CACHED)]
    with connect() as s:
        begin, taken = time.monotonic(), 0

        def send():
            for i in range(0, CACHED, 64):
                s.sendall(b"".join(requests[i : i + 64]))

        sender = threading.Thread(target=send)
        sender.start()
        while taken < CACHED:
            got = s.recv(1 << 18)
            if not got:
                break
            taken += got.count(b",")
        sender.join()
        return taken / (time.monotonic() - begin)


def processor_seconds(pid):
    return time.clock_gettime(~pid << 3 | 2)  # its own clock, as clock_getcpuclockid(3) names it


def show(what, first, words, rate, base):
    print(f"  {what:28} uncached {DOMAINS / first:7.0f} /s ({', '.join(f'{n} {w}' for w, n in sorted(words.items()))})", end="")
    print(f"   cached {rate:8.0f} /s" + (f"   x {rate / base[1]:.1f} cached, x {base[0] / first:.2f} uncached" if base else ""))


class Program:
    """One of the two: how to reach it, and what it came to."""

    def __init__(self, name, map_name, kind, connect):
        self.name, self.map_name, self.kind, self.connect = name, map_name, kind, connect
        self.seconds, self.words, self.rate = [], {}, 0

    def one_part(self, part):
        self.seconds.append(uncached(self.connect, self.map_name, self.kind, part, self.words))

    def all_cached(self):
        self.rate = cached(self.connect, self.map_name, self.kind)

    def first(self):
        return sum(self.seconds)


def theirs(folder, unpacked):
    with open(f"{folder}/mta-sts.yml", "w", encoding="ascii") as f:
        f.write(
            "host: 127.0.0.1\nport: 8461\nreuse_port: true\nshutdown_timeout: 2\ncache:\n  type: internal\n  options:\n"
            "    cache_size: 10000\ndefault_zone:\n  strict_testing: false\n  timeout: 10\n"
        )
    environment = {**os.environ, "PYTHONPATH": f"{unpacked}/usr/lib/python3/dist-packages"}
    with open(f"{folder}/theirs.log", "w", encoding="ascii") as log:
        p = subprocess.Popen(
            [sys.executable, "-c", "from postfix_mta_sts_resolver.daemon import main; main()", "-c", f"{folder}/mta-sts.yml"],
            env=environment,
            stdout=log,
            stderr=log,
        )

    def connect():
        return socket.create_connection(("127.0.0.1", 8461), timeout=60)

    for _ in range(600):
        try:
            connect().close()
            break
        except OSError:
            time.sleep(0.1)
    return p, Program("postfix-mta-sts-resolver", "test", "t", connect)


def ours(folder):
    with open(f"{folder}/anchor", "w", encoding="ascii") as f:  # of a zone that nobody asks for: all answers are unsigned
        f.write(f"anchor.invalid. IN DS 12345 13 2 {'00' * 32}\n")
    path = f"{folder}/tls.sock"
    o = outgoing.Outgoing(f"{folder}/service")
    o.write_policy(f"set postfix.tls-policy-socket unix:{path}\nset dns.forward 203.0.113.53\nset dns.anchor {folder}/anchor\n")
    o.start()

    def connect():
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(60)
        s.connect(path)
        return s

    return o, Program("assay-outgoing", "assay", "a", connect)


def inside(unpacked):
    folder = f"{space.PLACE}/bench"
    os.makedirs(folder)
    space.add("192.0.2.80")
    certificates(folder)
    space.mount(f"{folder}/ca.pem", os.path.realpath("/etc/ssl/certs/ca-certificates.crt"), None, space.MS_BIND)
    Dns().start()
    serve_web(folder)
    process, other = theirs(folder, unpacked) if unpacked else (None, None)
    o, own = ours(folder)
    for part in range(ROUNDS):
        for program in (other, own) if part % 2 else (own, other):
            if program:
                program.one_part(part)
    if other:
        other.all_cached()
        process.terminate()
        process.wait()
    before = processor_seconds(o.process.pid)
    own.all_cached()
    cost = processor_seconds(o.process.pid) - before
    base = (other.first(), other.rate) if other else None
    if other:
        show(other.name, other.first(), other.words, other.rate, None)
    show(own.name, own.first(), own.words, own.rate, base)
    if base:
        ratios = sorted(t / a for t, a in zip(other.seconds, own.seconds))
        print(f"  {'':28} uncached, part by part: x {', '.join(f'{r:.2f}' for r in ratios)}")
        first = base[0] / own.first()
        figures.figure("outgoing", "not asked for before, to postfix-mta-sts-resolver: answers a second", first, "times", figures.MORE, 1)
        figures.figure("outgoing", "cached, to postfix-mta-sts-resolver: answers a second", own.rate / base[1], "times", figures.MORE, 3)
    if cost > 0:
        print(f"  {'':28} cached {CACHED / cost:.0f} for each second of processor time (our goal: at least {GOAL})")
        figures.figure("outgoing", "cached answers for each second of processor time", CACHED / cost, "answers/s", figures.MORE, GOAL)
    figures.figure("outgoing", "cached answers, the client on the same cores", own.rate, "answers/s", figures.MORE, GOAL)
    figures.figure("outgoing", "answers not asked for before", DOMAINS / own.first(), "answers/s", figures.MORE)
    o.stop()
    sys.exit(0 if own.words == {"OK": DOMAINS} else 1)


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MTA_STS_RESOLVER", "")
    if given == "inside":
        inside(sys.argv[2])
    why = space.can_enter() or (None if shutil.which("openssl") else "needs openssl")
    if why:
        print(f"bench_outgoing: skipped: {why}")
        sys.exit(77)
    if given and not os.path.isdir(f"{given}/usr/lib/python3/dist-packages/postfix_mta_sts_resolver"):
        print(f"bench_outgoing: {given} is no folder with postfix-mta-sts-resolver unpacked in it", file=sys.stderr)
        sys.exit(64)
    program = os.path.join(space.TOP, os.environ.get("BUILD", "build"), "assay-outgoing")
    if not os.access(program, os.X_OK):
        print(f"bench_outgoing: {program} is not built: make", file=sys.stderr)
        sys.exit(69)
    if not given:
        print("  (postfix-mta-sts-resolver is not beside it: MTA_STS_RESOLVER names no folder)")
    sys.exit(space.outside("bench", [sys.executable, "-B", os.path.abspath(__file__), "inside", given and os.path.abspath(given)]))
