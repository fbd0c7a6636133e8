# SPDX-License-Identifier: BSD-2-Clause
"""keys - DKIM keys and signatures of the tests' own senders: RSA and Ed25519, by RFC 6376 and RFC 8463, relaxed/relaxed.

A signer of its own, not the one under test nor its library: a mistake shared by both would not be seen. Keys are made once and kept
in the build folder; they protect nothing.
"""
import base64
import functools
import hashlib
import os
import re
import subprocess
import textwrap

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STORE = os.path.join(TOP, os.environ.get("BUILD", "build"), "test-keys")
SIGNED = ("from", "to", "subject", "date", "message-id")


@functools.lru_cache(maxsize=None)  # OpenSSL tests the primes of an RSA key each time that it is read: 0.1 s
def _key(kind, name):
    os.makedirs(STORE, exist_ok=True)
    path = os.path.join(STORE, f"{kind}-{name}.pem")
    try:
        with open(path, "rb") as f:
            return serialization.load_pem_private_key(f.read(), None)
    except FileNotFoundError:
        pass
    if kind == "ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:] or 2048))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with open(f"{path}.{os.getpid()}", "wb") as f:
        f.write(pem)
    os.rename(f"{path}.{os.getpid()}", path)  # another run may be making the same key: the last one wins, whole
    with open(path, "rb") as f:
        return serialization.load_pem_private_key(f.read(), None)


def private(kind, name="one"):
    """The private key as PEM text, for a program that signs by itself."""
    return (
        _key(kind, name).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    )


def record(kind, name="one"):
    """The TXT text that publishes this key. kind: rsa (2048 bits), rsa1024, rsa512..., ed25519."""
    public = _key(kind, name).public_key()
    if kind == "ed25519":
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return "v=DKIM1; k=ed25519; p=" + base64.b64encode(raw).decode()
    raw = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "v=DKIM1; k=rsa; p=" + base64.b64encode(raw).decode()


def txt(text):
    """A text as the quoted strings of a TXT record, each at most 255 octets."""
    return " ".join('"%s"' % text[i : i + 250].replace("\\", "\\\\").replace('"', '\\"') for i in range(0, len(text), 250)) or '""'


def _relaxed_field(raw):
    name, value = raw.split(b":", 1)
    value = re.sub(rb"\r\n(?=[ \t])", b"", value)
    return name.strip().lower() + b":" + re.sub(rb"[ \t]+", b" ", value).strip()


def _relaxed_body(body):
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def body_hash(body):
    """SHA-256 of the body, relaxed (RFC 6376 3.4.4)."""
    return hashlib.sha256(_relaxed_body(body)).digest()


def _simple_body(body):
    return re.sub(rb"(\r\n)*\Z", b"", body) + b"\r\n"


def split(message):
    """Header fields (each with its folds, without the last CRLF) and body of a message with CRLF lines."""
    head, _, body = message.partition(b"\r\n\r\n")
    return re.split(rb"\r\n(?![ \t])", head), body


def sign(message, domain, selector, kind="rsa", name="one", fields=SIGNED, length=None, extra="", canonical="relaxed/relaxed"):
    """The message with a DKIM-Signature on top. length: l=. extra: further tags, "x=1; " for instance. canonical: c=."""
    key = _key(kind, name)
    headers, body = split(message)
    header_form, body_form = canonical.split("/")
    field_form = _relaxed_field if header_form == "relaxed" else bytes
    named = canonical
    canonical = _relaxed_body(body) if body_form == "relaxed" else _simple_body(body)
    covered = canonical if length is None else canonical[:length]
    digest = base64.b64encode(hashlib.sha256(covered).digest()).decode()
    algorithm = "ed25519-sha256" if kind == "ed25519" else "rsa-sha256"
    tags = f"v=1; a={algorithm}; c={named}; d={domain}; s={selector}; "
    if length is not None:
        tags += f"l={length}; "
    tags += f"{extra}h={':'.join(fields)}; bh={digest}; b="
    left = list(headers)
    hashed = b""
    for field in fields:  # RFC 6376 5.4.2: from the bottom up
        for i in range(len(left) - 1, -1, -1):
            if left[i].split(b":", 1)[0].strip().lower() == field.encode():
                hashed += field_form(left.pop(i)) + b"\r\n"
                break
    hashed += field_form(b"DKIM-Signature: " + tags.encode())
    if kind == "ed25519":
        mark = key.sign(hashlib.sha256(hashed).digest())  # RFC 8463 3: Ed25519 over the SHA-256
    else:
        mark = key.sign(hashed, padding.PKCS1v15(), hashes.SHA256())
    mark = base64.b64encode(mark).decode()
    folded = "\r\n\t".join(mark[i : i + 70] for i in range(0, len(mark), 70))
    return f"DKIM-Signature: {tags}\r\n\t{folded}\r\n".encode() + message


def _number(field):
    """The i= of an ARC field, 0 where it has none."""
    found = re.match(rb"arc-[a-z-]*:[^;]*?\bi=(\d+)", _relaxed_field(field))
    return int(found.group(1)) if found else 0


def _mark(kind, name, hashed):
    key = _key(kind, name)
    mark = key.sign(hashlib.sha256(hashed).digest()) if kind == "ed25519" else key.sign(hashed, padding.PKCS1v15(), hashes.SHA256())
    return "\r\n\t".join(textwrap.wrap(base64.b64encode(mark).decode(), 70))


def seal(message, instance, domain, selector, results, validation, kind="rsa", name="one", fields=SIGNED):
    """The message with one more ARC set on top (RFC 8617 4.1, 5.1.1): the seal covers all sets, in the order of their instances."""
    headers, body = split(message)
    algorithm = "ed25519-sha256" if kind == "ed25519" else "rsa-sha256"
    digest = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode()
    found = f"ARC-Authentication-Results: i={instance}; {domain}; {results}".encode()
    tags = f"i={instance}; a={algorithm}; c=relaxed/relaxed; d={domain}; s={selector}; h={':'.join(fields)}; bh={digest}; b="
    signature = f"ARC-Message-Signature: {tags}".encode()
    hashed = b""
    for field in fields:
        of_name = [h for h in headers if h.split(b":", 1)[0].strip().lower() == field.encode()]
        hashed += _relaxed_field(of_name[-1]) + b"\r\n" if of_name else b""
    signature += _mark(kind, name, hashed + _relaxed_field(signature)).encode()
    mark = f"ARC-Seal: i={instance}; a={algorithm}; cv={validation}; d={domain}; s={selector}; b=".encode()
    order = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")
    sets = [h for h in headers if h.lower().startswith(b"arc-")] + [found, signature, mark]
    sets.sort(key=lambda h: (_number(h), order.index(h.split(b":", 1)[0].strip().lower())))
    mark += _mark(kind, name, b"\r\n".join(_relaxed_field(h) for h in sets)).encode()
    return b"\r\n".join([mark, signature, found]) + b"\r\n" + message


def certificate(name, cert, key, days=30, more=()):
    """A new P-256 key and a certificate for CN=name, as files: signed by itself, or as `more` words for openssl req say."""
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split()
    words += ["-days", str(days), "-subj", f"/CN={name}", "-keyout", key, "-out", cert, *more]
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def ended(words):
    """openssl x509 with these words makes a certificate whose end is past; each version of it knows one of the two ways."""
    for end in (["-days", "-1"], ["-not_before", "20200101000000Z", "-not_after", "20200201000000Z"]):
        done = subprocess.run(["openssl", "x509", *words, *end], capture_output=True)
        if done.returncode == 0:
            return
    raise RuntimeError(done.stderr.decode())
