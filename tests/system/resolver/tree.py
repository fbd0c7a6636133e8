# SPDX-License-Identifier: BSD-2-Clause
"""tree - a small signed tree of DNS for the tests of the resolver module: its own root, one top-level domain, and below
it a zone of each kind
that a validator can meet: signed (NSEC, NSEC3, opt-out), unsigned, and broken in every way that has an error code of its own (RFC 8914).

Served by NSD on addresses of 192.0.2.0/24, put on the loopback of a network namespace: parents and children on
different servers, so that referrals are real.
"""
import os
import re
import subprocess
import sys
import time

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../world"))
import zone_keys  # noqa: E402

ROOT, TLD, HOST, CHILD, DEAD = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.66"
STUB = "192.0.2.5"
NETWORKS = "192.0.2.6"  # answers by the client's network (EDNS Client Subnet): caches_cases.py
ADDRESSES = (ROOT, TLD, HOST, CHILD, DEAD, STUB, NETWORKS)

COMMON = """www A 203.0.113.{n}
www TXT "text of {zone}"
six AAAA 2001:db8::{n}
*.wild A 203.0.113.{n}
alias CNAME www
zero 0 A 203.0.113.{n}
short 2 A 203.0.113.{n}
a.b.c.deep A 203.0.113.{n}
many 3600 TXT "one"
many 3600 TXT "two"
"""

# name: (kind, server, further records)
ZONES = {
    ".": ("nsec", ROOT, ""),
    "zz": ("nsec", TLD, ""),
    "arpa": ("nsec", HOST, "home A 203.0.113.9\n"),
    "signed.zz": (
        "nsec",
        HOST,
        "to-unsigned CNAME www.unsigned.zz.\nto-free CNAME www.free.zz.\nto-two CNAME www.two.zz.\n"
        "to-nowhere CNAME nowhere.unsigned.zz.\n"
        "to-expired CNAME www.expired.zz.\nvia-expired CNAME to-notyet.expired.zz.\nloop CNAME loop.unsigned.zz.\n"
        "@ MX 10 mail.unsigned.zz.\n"
        "_sip._tcp SRV 1 1 5060 mail.unsigned.zz.\nto-auth CNAME www.auth.zz.\nd DNAME two.zz.\ndu DNAME unsigned.zz.\n"
        "ns2 A 192.0.2.3\nrewritten A 203.0.113.77\n",
    ),
    "two.zz": ("nsec3", HOST, ""),
    "strict.zz": ("nsec", HOST, "to-free CNAME www.free.zz.\nto-nothing CNAME nothing.free.zz.\nto-two CNAME www.two.zz.\n"),
    "unsigned.zz": (
        "unsigned",
        HOST,
        "to-signed CNAME www.signed.zz.\nd DNAME signed.zz.\nrewritten A 203.0.113.77\nns9 A 192.0.2.3\n"
        "mail A 203.0.113.88\nloop CNAME pool\npool CNAME loop\nto-rewritten CNAME rewritten.signed.zz.\nto-auth CNAME www.auth.zz.\n"
        "to-free CNAME www.free.zz.\nprimary A 192.0.2.3\n"
        "into-loop CNAME loop.free.zz.\ninto-self CNAME self.free.zz.\n",
    ),
    "hosted.zz": ("unsigned", HOST, ""),
    "excused.zz": ("unsigned", HOST, ""),
    "ended.zz": ("unsigned", HOST, ""),
    "noted.zz": ("unsigned", HOST, ""),
    "ignored.zz": ("unsigned", HOST, ""),
    "free.zz": (
        "unsigned",
        HOST,
        "to-unsigned CNAME www.unsigned.zz.\nto-signed CNAME www.signed.zz.\nd DNAME unsigned.zz.\nd2 DNAME signed.zz.\n"
        "loop CNAME pool.sub.opt.zz.\nself CNAME self\nto-suspended CNAME to-notyet.expired.zz.\n"
        "to-suspended2 CNAME to-signed.expired.zz.\nto-required CNAME to-rewritten.unsigned.zz.\n"
        + "".join(f"chain{i} CNAME chain{i + 1}\n" for i in range(9))
        + "chain9 CNAME www.unsigned.zz.\n",
    ),
    "opt.zz": ("opt-out", HOST, ""),
    "sub.opt.zz": ("unsigned", CHILD, "pool CNAME loop.free.zz.\n"),
    "stub.zz": ("unsigned", STUB, ""),
    "expired.zz": (
        "expired",
        HOST,
        "to-notyet CNAME www.notyet.zz.\nto-unsigned CNAME www.unsigned.zz.\nto-signed CNAME www.signed.zz.\nto-free CNAME www.free.zz.\n"
        "to-self CNAME to-signed\nto-nowhere CNAME nowhere.signed.zz.\nto-strict CNAME to-free.strict.zz.\nto-stays CNAME www.stays.zz.\n"
        "loop CNAME pool\npool CNAME loop\nround CNAME round.notyet.zz.\n*.starred CNAME www.notyet.zz.\n"
        "dn DNAME notyet.zz.\ndu DNAME unsigned.zz.\nds DNAME signed.zz.\n@ MX 10 www.free.zz.\n",
    ),
    "notyet.zz": ("not-yet", HOST, "round CNAME round.expired.zz.\n"),
    "wrongds.zz": ("wrong-ds", HOST, ""),
    "nosig.zz": ("missing-rrsig", HOST, ""),
    "nonsec.zz": ("missing-nsec", HOST, ""),
    "algorithm.zz": ("unknown-algorithm", HOST, ""),
    "iterations.zz": ("iterations", HOST, ""),
    "mended.zz": ("expired", HOST, ""),
    "stays.zz": ("expired", HOST, ""),
    "lame.zz": ("dead", CHILD, ""),
    "dead.zz": ("dead", DEAD, ""),
    "auth.zz": ("unsigned", HOST, ""),
    "networks.zz": ("unsigned", NETWORKS, ""),
}


def parent_of(name):
    if name == ".":
        return None
    while "." in name:
        name = name.split(".", 1)[1]
        if name in ZONES:
            return name
    return "."


def dotted(name):
    return "." if name == "." else name + "."


def day(offset):
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + offset * 86400))


class Tree:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "zones")
        os.makedirs(self.folder, exist_ok=True)
        self.keys, self.ds, self.servers = {}, {}, []

    def run(self, *command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def key(self, name, kind):
        if kind in ("unsigned", "dead"):
            return
        key, ds = zone_keys.make(self.folder, dotted(name)), zone_keys.ds(dotted(name)).split()
        if kind == "wrong-ds":
            ds[3] = ds[3][:-1] + ("0" if ds[3][-1] != "0" else "1")
        if kind == "unknown-algorithm":
            ds[1] = "200"
        self.keys[name], self.ds[name] = key, " ".join(ds)

    def text(self, name):
        kind, server, more = ZONES[name]
        number = list(ZONES).index(name) + 10
        lines = [f"$ORIGIN {dotted(name)}", "$TTL 300", "@ SOA ns hostmaster 1 3600 600 86400 60"]
        if name == "hosted.zz":  # its server's name lies in a zone that is not signed
            lines.append("@ NS ns9.unsigned.zz.")
        else:
            lines += ["@ NS ns", f"ns A {server}"]
        lines += (COMMON.format(n=number, zone=name) + more).splitlines()
        for child, (child_kind, child_server, _) in ZONES.items():
            if parent_of(child) != name:
                continue
            if child == "hosted.zz":
                lines.append(f"{dotted(child)} NS ns9.unsigned.zz.")
            else:
                lines += [f"{dotted(child)} NS ns.{dotted(child)}", f"ns.{dotted(child)} A {child_server}"]
            if child in self.ds:
                lines.append(f"{dotted(child)} DS {self.ds[child]}")
        return "\n".join(lines) + "\n"

    def sign(self, name):
        kind = ZONES[name][0]
        plain, signed = f"{self.folder}/{name}.zone", f"{self.folder}/{name}.signed"
        with open(plain, "w", encoding="ascii") as f:
            f.write(self.text(name))
        if kind in ("unsigned", "dead"):
            os.replace(plain, signed)
            return
        when = {"expired": ("-i", day(-60), "-e", day(-20)), "not-yet": ("-i", day(20), "-e", day(60))}.get(
            kind, ("-i", day(-1), "-e", day(30))
        )
        form = {"nsec3": ("-n", "-t", "0"), "opt-out": ("-n", "-p", "-t", "0"), "iterations": ("-n", "-t", "2000")}.get(kind, ())
        self.run("ldns-signzone", "-f", signed, "-o", dotted(name), *when, *form, plain, self.keys[name])
        self.damage(kind, signed)

    def damage(self, kind, path):
        if kind not in ("missing-rrsig", "missing-nsec"):
            return
        with open(path, encoding="ascii") as f:
            lines = f.read().splitlines()
        what = r"\sRRSIG\s+A\s" if kind == "missing-rrsig" else r"\s(NSEC|RRSIG\s+NSEC)\s"
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(line for line in lines if not re.search(what, line)) + "\n")

    def mend(self, name):
        """Signs a broken zone rightly and has its server read it again."""
        kind, server, more = ZONES[name]
        ZONES[name] = ("nsec", server, more)
        self.sign(name)
        ZONES[name] = (kind, server, more)
        self.reload(server)

    def break_again(self, name):
        self.sign(name)
        self.reload(ZONES[name][1])

    def make(self):
        for name, (kind, _, _) in ZONES.items():
            self.key(name, kind)
        for name in ZONES:
            self.sign(name)
        with open(f"{self.folder}/anchor", "w", encoding="ascii") as f:
            f.write(f". DS {self.ds['.']}\n")
        self.anchor = f"{self.folder}/anchor"
        with open(f"{self.folder}/hints", "w", encoding="ascii") as f:
            f.write(f". 3600000 NS ns.\nns. 3600000 A {ROOT}\n")
        self.hints = f"{self.folder}/hints"

    def config(self, server):
        lines = [
            "server:",
            f"  ip-address: {server}",
            "  port: 53",
            "  username: root",
            '  chroot: ""',
            "  server-count: 1",
            "  hide-version: yes",
            f"  zonesdir: {self.folder}",
            f"  pidfile: {self.folder}/nsd.{server}.pid",
            f"  database: \"\"",
            f"  logfile: {self.folder}/nsd.{server}.log",
            f"  xfrdfile: {self.folder}/xfrd.{server}",
            f"  zonelistfile: {self.folder}/zonelist.{server}",
            "  tcp-count: 50",
            "  rrl-ratelimit: 0",
            "remote-control:",
            "  control-enable: no",
        ]
        for name, (_, own, _) in ZONES.items():
            if own == server and ZONES[name][0] != "dead":
                lines += ["zone:", f"  name: {dotted(name)}", f"  zonefile: {name}.signed", "  provide-xfr: 0.0.0.0/0 NOKEY"]
        return "\n".join(lines) + "\n"

    def serve(self):
        for address in ADDRESSES:
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=False, capture_output=True)
        for server in (ROOT, TLD, HOST, CHILD, STUB):
            conf = f"{self.folder}/nsd.{server}.conf"
            with open(conf, "w", encoding="ascii") as f:
                f.write(self.config(server))
            self.servers.append((server, subprocess.Popen(["nsd", "-d", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))

    def reload(self, server):
        for address, process in self.servers:
            if address == server:
                process.send_signal(1)

    def stop(self, server=None):
        for address, process in list(self.servers):
            if server in (None, address):
                process.terminate()
                process.wait(10)
                self.servers.remove((address, process))

    def start(self, server):
        conf = f"{self.folder}/nsd.{server}.conf"
        self.servers.append((server, subprocess.Popen(["nsd", "-d", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))
