# SPDX-License-Identifier: BSD-2-Clause
"""zone_keys - DNSSEC keys for the zones of the tests' worlds, and their DS records.

A key's octets say nothing of the zone that it signs, so one key of each kind serves all zones: it is made by ldns-keygen once, kept in
the build folder (it protects nothing), and copied under each zone's name. Zones differ in their DS records all the same, since those
hash the owner's name too (RFC 4034 5.1.4). Two thousand starts of ldns-keygen and ldns-key2ds were most of what it took to make a world.
"""
import base64
import functools
import hashlib
import os
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STORE = os.path.join(TOP, os.environ.get("BUILD", "build"), "test-keys")
DIGESTS = {1: hashlib.sha1, 2: hashlib.sha256}


@functools.lru_cache(maxsize=None)
def _made(algorithm, bits):
    """Of the one key of this kind: algorithm and tag as in its file's name ("+013+41595"), the DNSKEY's RDATA, the private key's file."""
    os.makedirs(STORE, exist_ok=True)
    store = os.path.join(STORE, f"zone-{algorithm}-{bits or 'usual'}")
    if not os.path.isdir(store):
        new = tempfile.mkdtemp(prefix=f"{os.path.basename(store)}.", dir=STORE)
        command = ["ldns-keygen", "-a", algorithm, *(["-b", str(bits)] if bits else []), "-k", "-r", "/dev/urandom", "."]
        done = subprocess.run(command, cwd=new, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        try:
            os.rename(new, store)
        except OSError:  # another test has just made it
            subprocess.run(["rm", "-r", new], check=True)
    base = next(n for n in os.listdir(store) if n.endswith(".key"))[: -len(".key")]
    with open(f"{store}/{base}.key", encoding="ascii") as key, open(f"{store}/{base}.private", encoding="ascii") as private:
        return base[len("K.") :], key.read().split("DNSKEY", 1)[1].split(";")[0].split(), private.read()


def make(folder, dotted, algorithm="ECDSAP256SHA256", bits=None):
    """Writes a zone's key into the folder, as ldns-keygen -k names and writes it. Returns the files' common name."""
    number, rdata, private = _made(algorithm, bits)
    base = f"K{dotted}{number}"
    with open(f"{folder}/{base}.key", "w", encoding="ascii") as f:
        f.write(f"{dotted}\tIN\tDNSKEY\t{' '.join(rdata)}\n")
    with open(f"{folder}/{base}.private", "w", encoding="ascii") as f:
        f.write(private)
    return base


def ds(dotted, algorithm="ECDSAP256SHA256", bits=None, digest=2):
    """The RDATA of the DS record of the key that make() writes for this zone."""
    number, rdata, _ = _made(algorithm, bits)
    owner = b"".join(bytes([len(label)]) + label for label in dotted.lower().encode().split(b".") if label) + b"\0"
    flags, protocol, kind = (int(word) for word in rdata[:3])
    key = flags.to_bytes(2, "big") + bytes([protocol, kind]) + base64.b64decode("".join(rdata[3:]))
    return f"{int(number.split('+')[2])} {kind} {digest} {DIGESTS[digest](owner + key).hexdigest()}"
