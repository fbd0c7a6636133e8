# SPDX-License-Identifier: BSD-2-Clause
"""hosts: mail hosts and a policy host that behave as each case wants: real TLS for a library's handshake, a made-up answer to a
ClientHello that only begins one, and every kind of trouble that a stranger's server makes."""
import datetime
import functools
import hashlib
import ipaddress
import os
import selectors
import socket
import ssl
import struct
import subprocess
import threading
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

warnings.filterwarnings("ignore")  # SHA-1 is what a case is about
DAY = datetime.timedelta(days=1)


def new_key(kind):
    """kind: "ec", "rsa1024", ..."""
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, int(kind[3:]))


class Authority:
    """A certificate authority of the tests."""

    def __init__(self, folder, name="Test Authority", kind="ec", issuer=None, digest=None):
        self.folder, self.above = folder, []
        self.key = new_key(kind)
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.utcnow()
        if digest:
            path = f"{folder}/{name.replace(' ', '-')}"
            self.cert = issuer.sign_old(path, self.key, name, "basicConstraints=critical,CA:TRUE")
            self.root = issuer.root
            return
        builder = x509.CertificateBuilder().subject_name(self.name).public_key(self.key.public_key())
        builder = builder.issuer_name((issuer or self).name)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - 30 * DAY).not_valid_after(now + 300 * DAY)
        self.cert = builder.add_extension(x509.BasicConstraints(True, None), True).sign((issuer or self).key, hashes.SHA256())
        self.root = issuer.root if issuer else self.cert
        if issuer:
            return
        self.path = f"{folder}/ca.pem"
        with open(self.path, "wb") as f:
            f.write(self.cert.public_bytes(serialization.Encoding.PEM))

    def below(self, kind="ec", digest=None, name=None):
        """An authority below this one, with a key of this kind, its certificate signed with this digest."""
        lower = Authority(self.folder, name or f"Authority below {kind} {digest}", kind, self, digest)
        lower.above = [lower.cert] + self.above
        return lower

    def issue(self, host, kind="ec", begin=-10, end=80, digest=None, chain=True, below=None, subject=None, **more):
        """Paths of key and chain for a host. below: issued by an authority below this one (its arguments). subject: where it is not
        the host. more: no_name (the host is in its common name alone), own (signed by itself), odd (the root
        comes before those below it)."""
        if below:
            return self.below(**below).issue(host, kind, begin, end, digest, chain, None, subject, **more)
        path = f"{self.folder}/{host}-{kind}-{begin}-{end}-{digest}"
        if os.path.exists(path + ".pem"):
            return path + ".key", path + ".pem"
        key = new_key(kind)
        now = datetime.datetime.utcnow()
        builder = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (subject or host)[:64])]))
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])]) if more.get("own") else self.name
        builder = builder.issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now + begin * DAY).not_valid_after(now + end * DAY)
        if not more.get("no_name"):
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
        signer = key if more.get("own") else self.key
        old = lambda: self.sign_old(path, key, host, f"subjectAltName=DNS:{host}")
        cert = builder.sign(signer, hashes.SHA256()) if digest is None else old()
        with open(path + ".key", "wb") as f:
            f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        with open(path + ".pem", "wb") as f:
            f.write(cert.public_bytes(serialization.Encoding.PEM))
            if chain:
                for above in [self.root] * more.get("odd", False) + self.above + [self.cert] * (not self.above):
                    f.write(above.public_bytes(serialization.Encoding.PEM))
        return path + ".key", path + ".pem"

    def sign_old(self, path, key, host, extension):
        """Signed with SHA-1, by openssl: the library of this file may refuse it."""
        plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        for name, k in (("ca", self.key), ("leaf", key)):
            with open(f"{path}.{name}", "wb") as f:
                f.write(k.private_bytes(*plain))
        subject = ["openssl", "req", "-new", "-key", f"{path}.leaf", "-subj", f"/CN={host}", "-addext", extension]
        subprocess.run(subject + ["-out", f"{path}.csr"], check=True, capture_output=True)
        sign = ["openssl", "x509", "-req", "-in", f"{path}.csr", "-CA", self.path, "-CAkey", f"{path}.ca", "-sha1", "-days", "80"]
        sign += ["-set_serial", "77", "-copy_extensions", "copy"]
        return x509.load_pem_x509_certificate(subprocess.run(sign, check=True, capture_output=True).stdout)

    def association(self, path, digest="sha256", whole=False):
        """Hex of the digest of the public key in a certificate's file, or of the whole certificate; without a digest: of all octets."""
        with open(path, "rb") as f:
            cert = x509.load_pem_x509_certificate(f.read())
        spki = cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        octets = cert.public_bytes(serialization.Encoding.DER) if whole else spki
        return hashlib.new(digest, octets).hexdigest() if digest else octets.hex()


def context(key, pem, ciphers="ECDHE+AESGCM:ECDHE+CHACHA20", tls13=True, level=2, many=0, only=None):
    """many: how often the last certificate is sent once more. only: the one version."""
    if many:
        with open(pem, encoding="ascii") as f:
            text = f.read()
        pem = f"{pem}.many"
        with open(pem, "w", encoding="ascii") as f:
            f.write(text + many * text[text.rindex("-----BEGIN") :])
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.minimum_version = ssl.TLSVersion.TLSv1_2
    if not tls13:
        ctx.maximum_version = ssl.TLSVersion.TLSv1_2
    if only:
        ctx.minimum_version = ctx.maximum_version = only
    ctx.set_ciphers(f"{ciphers}:@SECLEVEL={level}")
    ctx.load_cert_chain(pem, key)
    return ctx


# ---- an answer that is made up ----

ONLY_OLD = ("only-tls11", "only-tls10")
GOOD, DHE, OLD, TRIPLE_DES, ANONYMOUS = 0xC02F, 0x009E, 0x002F, 0x000A, 0x00A7


class Hello:
    """What a ClientHello offers."""

    def __init__(self, record):
        body = record[9:]
        self.version = struct.unpack(">H", body[:2])[0]
        at = 34
        at += 1 + body[at]
        n = struct.unpack(">H", body[at : at + 2])[0]
        self.ciphers = [struct.unpack(">H", body[at + 2 + i : at + 4 + i])[0] for i in range(0, n, 2)]
        at += 2 + n
        self.compression = list(body[at + 1 : at + 1 + body[at]])
        at += 1 + body[at]
        self.extensions = {}
        end = at + 2 + struct.unpack(">H", body[at : at + 2])[0] if len(body) >= at + 2 else at
        at += 2
        while at + 4 <= end:
            kind, size = struct.unpack(">HH", body[at : at + 4])
            self.extensions[kind] = body[at + 4 : at + 4 + size]
            at += 4 + size
        words = lambda kind: struct.unpack(f">{(len(self.extensions.get(kind, b'  ')) - 2) // 2}H", self.extensions.get(kind, b"  ")[2:])
        self.groups, self.signatures, self.tls13 = words(10), words(13), 43 in self.extensions


def message(kind, body):
    return bytes([kind]) + struct.pack(">I", len(body))[1:] + body


def record(version, *messages):
    data = b"".join(messages)
    return b"\x16" + struct.pack(">HH", version, len(data)) + data


def alert(what=40, level=2):
    return b"\x15\x03\x03\x00\x02" + bytes([level, what])


def pieces(octets):
    """The same messages with a record for each octet (RFC 5246 6.2.1: a message may be fragmented across several)."""
    kind, version, size = struct.unpack(">BHH", octets[:5])
    if kind != 22:
        return octets
    whole = octets[5 : 5 + size]
    return b"".join(struct.pack(">BHHB", kind, version, 1, one) for one in whole)


def server_hello(hello, cipher, flaw):
    extensions = b""
    if flaw != "no-renegotiation":
        extensions += b"\xff\x01\0\x01\0"
    if flaw != "no-ems":
        extensions += b"\0\x17\0\0"
    compression = 1 if flaw == "compression" and 1 in hello.compression else 0
    body = struct.pack(">H", hello.version) + os.urandom(32) + b"\0" + struct.pack(">HB", cipher, compression)
    if hello.version > 0x0300:
        body += struct.pack(">H", len(extensions)) + extensions
    parts = [message(2, body)] + [message(11, b"\0\0\0")] * (cipher != ANONYMOUS)
    signature = 0x0201 if flaw == "sha1" and set(hello.signatures) <= {0x0203, 0x0201} else 0x0401
    tail = (struct.pack(">H", signature) if hello.version >= 0x0303 else b"") + b"\0\x04abcd"
    if cipher == GOOD:
        group = 0x0013 if flaw == "weak-group" and 0x001D not in hello.groups else 0x001D
        parts.append(message(12, b"\x03" + struct.pack(">H", group) + b"\x04aaaa" + tail))
    elif cipher in (DHE, ANONYMOUS):
        size = {"dh1024": 128, "dh2048": 256}.get(flaw, 384)
        prime = b"\xff" * size
        parts.append(
            message(12, struct.pack(">H", size) + prime + b"\0\x01\x02" + struct.pack(">H", size) + prime + tail * (cipher == DHE))
        )
    parts.append(message(14, b""))
    return record(hello.version, *parts)


def retry(group):
    """A HelloRetryRequest of TLS 1.3 for a group (RFC 8446 4.1.4)."""
    extensions = struct.pack(">HHHHHH", 43, 2, 0x0304, 51, 2, group)
    body = b"\x03\x03" + hashlib.sha256(b"HelloRetryRequest").digest() + b"\0\x13\x02\0"
    return record(0x0303, message(2, body + struct.pack(">H", len(extensions)) + extensions))


def answer(hello, flaw):
    """What a host with this flaw says to a ClientHello that is only begun. None: real TLS answers."""
    if flaw is None:
        return None
    if hello.tls13:
        return retry(0x11EC if 0x11EC in hello.groups else 0x001D) if flaw == "hybrid" else alert(70)
    if flaw == "other-version":  # whatever was offered (RFC 5246 E.1): TLS 1.2 is all it has
        hello.version = 0x0303
    if hello.version < 0x0303:
        old = {"tls11": 0x0302, "tls10": 0x0301, "ssl3": 0x0300, "only-tls11": 0x0302, "only-tls10": 0x0301}
        if old.get(flaw) == hello.version:
            return server_hello(hello, OLD if OLD in hello.ciphers else hello.ciphers[0], flaw)
        return alert(70)
    if flaw in ONLY_OLD:
        return alert(70)
    if flaw == "only-anonymous":
        return server_hello(hello, ANONYMOUS, flaw) if ANONYMOUS in hello.ciphers else alert()
    if flaw == "only-broken":
        return server_hello(hello, TRIPLE_DES, flaw) if TRIPLE_DES in hello.ciphers else alert()
    if flaw == "order" and DHE in hello.ciphers:
        return server_hello(hello, DHE, flaw)
    weak_only = hello.groups and 0x001D not in hello.groups
    sha1_only = hello.signatures and set(hello.signatures) <= {0x0203, 0x0201}
    if GOOD in hello.ciphers and (not weak_only or flaw == "weak-group") and (not sha1_only or flaw == "sha1"):
        return server_hello(hello, GOOD, flaw)
    if flaw in ("dh1024", "dh2048") and DHE in hello.ciphers:
        return server_hello(hello, DHE, flaw)
    if flaw == "old" and OLD in hello.ciphers:
        return server_hello(hello, OLD, flaw)
    if flaw == "other-cipher":  # its own, whatever was offered (RFC 5246 7.4.1.3)
        return server_hello(hello, GOOD, flaw)
    if flaw == "anonymous" and ANONYMOUS in hello.ciphers:
        return server_hello(hello, ANONYMOUS, flaw)
    if flaw == "broken" and TRIPLE_DES in hello.ciphers:
        return server_hello(hello, TRIPLE_DES, flaw)
    return alert()


# ---- hosts ----

PAUSE = [0]  # seconds that every host takes before it greets
REFUSALS = {
    "454": b"454 4.7.0 TLS not available due to local problem\r\n",
    "501": b"501 5.5.4 no parameters allowed\r\n",
    "421 at STARTTLS": b"421 4.3.2 closing\r\n",
}


class Host:
    """tls: an SSLContext, or None. flaw: of the made-up answers. manner: how SMTP itself goes wrong."""

    def __init__(self, tls=None, flaw=None, manner=None):
        self.tls, self.flaw, self.manner = tls, flaw, manner

    def greet(self, s):
        """False: the connection ends here."""
        if PAUSE[0]:
            threading.Event().wait(PAUSE[0])
        if self.manner == "421":
            s.sendall(b"421 too busy, try later\r\n")
        elif self.manner == "greylist":
            s.sendall(b"450 4.7.1 come back in five minutes\r\n")
        elif self.manner == "garbage":
            s.sendall(os.urandom(300) + b"\r\n")
        elif self.manner == "banner":
            s.sendall(b"220 " + b"x" * 65536 + b"\r\n")
        elif self.manner in ("close", "reset"):
            if self.manner == "reset":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self.manner == "silent":
            s.settimeout(60)
            s.recv(1)
        elif self.manner == "tarpit":
            for c in b"220 " + b"slow " * 20:
                s.sendall(bytes([c]))
                threading.Event().wait(1)
        elif self.manner == "554":
            s.sendall(b"554 5.7.1 we take no mail from your network\r\n")
        elif self.manner == "lines":
            s.sendall(b"220-mx ESMTP\r\n220-No advertising.\r\n220-\r\n220 Ready\r\n")
            return True
        else:
            s.sendall(b"220 mx ESMTP \x1b[31m<script>alert(1)</script>\r\n" if self.manner == "hostile" else b"220 mx ESMTP\r\n")
            return True
        return False

    def serve(self, s):
        s.settimeout(15)
        if not self.greet(s):
            return
        lines = s.makefile("rb")
        while True:
            line = lines.readline(2000).strip().upper()
            if line.startswith(b"EHLO") and self.manner == "old":
                s.sendall(b"502 5.5.1 command not implemented\r\n")
            elif line.startswith(b"EHLO") and self.manner == "refused":
                s.sendall(b"550 5.7.1 your name is not welcome\r\n")
            elif line.startswith(b"EHLO") and self.manner == "capitals":
                s.sendall(b"250-mx\r\n250-8bitmime\r\n250-sTartTlS \r\n250 PIPELINING\r\n")
            elif line.startswith(b"EHLO"):
                s.sendall(b"250-mx\r\n250-SIZE 1000\r\n" + (b"250 8BITMIME\r\n" if self.manner == "plain" else b"250 STARTTLS\r\n"))
            elif line == b"STARTTLS" and self.manner in REFUSALS:
                s.sendall(REFUSALS[self.manner])
            elif line == b"STARTTLS" and self.manner != "plain":
                s.sendall(b"220 go ahead\r\n" + (b"250 injected\r\n" if self.manner == "injection" else b""))
                self.serve_tls(s)
                return
            elif not line or line.startswith(b"QUIT"):
                return
            else:
                s.sendall(b"250 ok\r\n")

    def serve_tls(self, s):
        first = s.recv(4096, socket.MSG_PEEK)
        if self.manner in ("reset tls", "half tls", "stuck tls", "drip tls", "hang up"):
            s.recv(8192)
            self.spoil(s)
            return
        while len(first) >= 5 and len(first) < 5 + struct.unpack(">H", first[3:5])[0]:
            first = s.recv(8192, socket.MSG_PEEK)
        if len(first) > 44 and first[43] == 0:  # no session: not a library's ClientHello
            made = answer(Hello(first), self.flaw)
            if made is not None:
                s.sendall(pieces(made) if self.flaw == "pieces" else alert(112, 1) + made if self.flaw == "warning" else made)
                return
        elif self.flaw in ONLY_OLD + ("only-broken", "only-anonymous"):
            s.sendall(alert(70))
            return
        elif self.manner == "flood":
            s.recv(len(first))
            for _ in range(700):  # 10 MB of certificate that never ends
                s.sendall(b"\x16\x03\x03\x3f\xff" + b"\x0b\xff\xff\xff" + b"\0" * 16379)
            return
        with self.tls.wrap_socket(s, server_side=True) as t:
            t.settimeout(5)
            t.recv(100)

    def spoil(self, s):
        """An end of the handshake, behind the ClientHello, that no library makes."""
        half = b"\x16\x03\x03\x00\x60\x02\x00\x00\x5c\x03\x03" + b"r" * 20
        if self.manner == "reset tls":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self.manner == "drip tls":
            for c in half:
                s.sendall(bytes([c]))
                threading.Event().wait(1)
        elif self.manner != "hang up":
            s.sendall(half)
        if self.manner in ("stuck tls", "drip tls"):
            s.settimeout(60)
            s.recv(1)


class PolicyHost:
    """HTTPS for MTA-STS: files by host name, a certificate by SNI."""

    def __init__(self, authority):
        self.authority, self.files, self.wrong, self.answers = authority, {}, set(), {}
        self.expired = set()
        self.tls = context(*authority.issue("mta-sts.invalid"))
        self.tls.sni_callback = self.choose

    def choose(self, s, name, _context):
        if name and name not in self.wrong:
            s.context = self.context_of(name)

    @functools.cache
    def context_of(self, name):
        days = {"begin": -90, "end": -3} if name in self.expired else {}
        return context(*self.authority.issue(name, **days))

    def serve(self, s):
        s.settimeout(10)
        with self.tls.wrap_socket(s, server_side=True) as t:
            request = t.recv(4096).decode("latin-1")
            host = next((l.split(":", 1)[1].strip() for l in request.split("\r\n") if l.lower().startswith("host:")), "")
            body = self.files.get(host)
            if body is None:
                t.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            status = self.answers.get(host, "200 OK")
            if status[0] == "3":
                t.sendall(f"HTTP/1.1 {status}\r\nLocation: https://{host}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                return
            kind = "text/html" if "html" in status else "text/plain"
            head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n"
            t.sendall(head.encode() + body.encode())


class Listeners:
    """All hosts in one process: a thread for each connection."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()

    def add(self, address, port, host):
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        s = socket.socket(family, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, port))
        s.listen(50)
        self.selector.register(s, selectors.EVENT_READ, host)

    def start(self):
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                connection, _ = key.fileobj.accept()
                threading.Thread(target=self.one, args=(connection, key.data), daemon=True).start()

    @staticmethod
    def one(connection, host):
        try:
            with connection:
                host.serve(connection)
        except (OSError, ValueError, struct.error, IndexError):
            pass
