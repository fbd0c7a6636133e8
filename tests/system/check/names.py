# SPDX-License-Identifier: BSD-2-Clause
"""names: the DNS of the checked domains: zones signed in every way, name servers that agree, differ, are silent or fail one type."""
import ipaddress
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

import zone_keys

ROOT, TLD = "198.41.0.4", ("198.51.100.2", "2001:db8:53::2")
# The IPv6 addresses of the root servers, for a resolver's built-in hints (space.ROOTS has the IPv4 ones).
ROOTS6 = (
    "2001:503:ba3e::2:30",
    "2801:1b8:10::b",
    "2001:500:200::b",
    "2001:500:2::c",
    "2001:500:2d::d",
    "2001:500:a8::e",
    "2001:500:2f::f",
    "2001:500:12::d0d",
    "2001:500:1::53",
    "2001:7fe::53",
    "2001:503:c27::2:30",
    "2001:7fd::1",
    "2001:500:9f::42",
    "2001:dc3::35",
)
# Name servers: IPv4 and IPv6 of each.
FIRST = ("198.51.100.3", "2001:db8:53::3")
SECOND = ("198.51.100.4", "2001:db8:53::4")
OTHER = ("198.51.100.5", "2001:db8:53::5")  # has other contents for some zones, and knows no others
NO_TLSA = ("198.51.100.7", "2001:db8:53::7")
NO_TLSA_2 = ("198.51.100.8", "2001:db8:53::8")
NO_TCP = ("198.51.100.9", "2001:db8:53::9")
DEAD = ("198.51.100.66", "2001:db8:53::66")
SERVERS = (TLD, FIRST, SECOND, OTHER, NO_TLSA, NO_TLSA_2, NO_TCP, DEAD)  # whose addresses serve() and its zones need


def ldns(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Zone:
    def __init__(self, name, records="", servers=None, other=None, **kind):
        """kind: unsigned, left_ds (unsigned, with a DS record above), wrong_ds, begin, end (days),
        algorithm, bits, nsec3 (iterations, salt), sha1_ds, ds_algorithm and ds_tag (of another key), strip ("TYPE NAME": without the
        signatures of these records), other_unsigned, parent_servers (whom the parent zone names, if others). other: what
        the server OTHER says instead, a function of the text."""
        self.name, self.records, self.kind, self.other = name, records, kind, other
        above = name == "." or "." not in name or name in ("in-addr.arpa", "ip6.arpa")
        usual = [("ns.nic.example.", TLD)] if above else [("ns1.host.example.", FIRST), ("ns2.host.example.", SECOND)]
        self.servers = servers or ([("a.root-servers.net.", (ROOT, ROOTS6[0]))] if name == "." else usual)
        self.above = above and name != "."
        self.dotted = "." if name == "." else name + "."
        self.label = "root" if name == "." else name
        self.ds = None

    def key(self, folder):
        if self.kind.get("unsigned") and not self.kind.get("left_ds"):
            return
        kind = {"algorithm": self.kind.get("algorithm", "ECDSAP256SHA256"), "bits": self.kind.get("bits")}
        self.base = zone_keys.make(folder, self.dotted, **kind)
        self.ds = zone_keys.ds(self.dotted, **kind, digest=1 if self.kind.get("sha1_ds") else 2)
        if self.kind.get("wrong_ds"):
            self.ds = self.ds[:-1] + ("0" if self.ds[-1] != "0" else "1")

        tag, number, rest = self.ds.split(" ", 2)
        if self.kind.get("ds_algorithm") or self.kind.get("ds_tag"):
            self.ds = f"{int(tag) ^ bool(self.kind.get('ds_tag'))} {self.kind.get('ds_algorithm', number)} {rest}"

    def text(self, children):
        lines = [f"$ORIGIN {self.dotted}", "$TTL 300", "@ SOA ns1.host.example. hostmaster.host.example. 1 3600 600 86400 60"]
        lines += [f"@ NS {name}" for name, _ in self.servers]
        for child in children:
            lines += [f"{child.dotted} NS {name}" for name, _ in child.kind.get("parent_servers", child.servers)]
            if child.ds:
                lines.append(f"{child.dotted} DS {child.ds}")
        # Addresses of name servers: glue where they lie below, and always in the root.
        everybody = [pair for z in [self] + children for pair in z.servers]
        glue = dict(pair for pair in everybody if self.name == "." or (pair[0].endswith("." + self.dotted) and self.above))
        for name, pair in glue.items():
            lines += [f"{name} {'AAAA' if ':' in a else 'A'} {a}" for a in pair if a]
        return "\n".join(lines + [self.records]) + "\n"

    def sign(self, folder, text, suffix):
        with open(f"{folder}/{self.label}.{suffix}", "w", encoding="utf-8") as f:
            f.write(text)
        if self.kind.get("unsigned") or (suffix == "other" and self.kind.get("other_unsigned")):
            return f"{self.label}.{suffix}"
        now, day = time.time(), 86400
        times = [now + self.kind.get("begin", -1) * day, now + self.kind.get("end", 14) * day]
        stamp = [time.strftime("%Y%m%d%H%M%S", time.gmtime(t)) for t in times]
        nsec3 = self.kind.get("nsec3")
        more = ["-n", "-t", str(nsec3[0]), *(["-s", nsec3[1]] if nsec3[1] else [])] if nsec3 else []
        out = f"{self.label}.{suffix}.signed"
        options = ["-i", stamp[0], "-e", stamp[1], "-o", self.dotted, "-f", out, *more]
        ldns(folder, "ldns-signzone", *options, f"{self.label}.{suffix}", self.base)
        if "strip" in self.kind:
            self.strip(f"{folder}/{out}", *self.kind["strip"].split())
        return out

    def strip(self, path, kind, owner=None):
        with open(path, encoding="utf-8") as f:
            lines = f.readlines()
        name = f"{owner}.{self.dotted}" if owner else self.dotted
        gone = [line for line in lines if line.split()[:1] == [name] and line.split()[2:5] == ["IN", "RRSIG", kind]]
        if not gone:
            raise RuntimeError(f"{path}: no signature of {name} {kind}")
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(line for line in lines if line not in gone)


def parent(zones, name):
    while "." in name:
        name = name.split(".", 1)[1]
        if name in zones:
            return zones[name]
    return zones["."]


def nsd(folder, name, addresses, files):
    path = f"{folder}/{name}.conf"
    with open(path, "w", encoding="ascii") as f:
        f.write(f'server:\n zonesdir: "{folder}"\n username: ""\n pidfile: ""\n zonelistfile: "{folder}/{name}.list"\n')
        f.write(f' xfrdfile: "{folder}/{name}.xfrd"\n xfrdir: "{folder}"\n database: ""\n server-count: 1\n')
        f.write(f' logfile: "{folder}/{name}.log"\n rrl-ratelimit: 0\n statistics: 0\n')
        f.write("".join(f" ip-address: {a}\n" for a in addresses) + "remote-control:\n control-enable: no\n")
        f.write("".join(f'zone:\n name: "{dotted}"\n zonefile: "{file}"\n' for dotted, file in files))
    return subprocess.Popen(
        [shutil.which("nsd") or "/usr/sbin/nsd", "-d", "-c", path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class Relay:
    """A name server that hands questions to FIRST, but fails those for a type. kinds: of sockets that it has."""

    def __init__(self, addresses, fails=None, kinds=(socket.SOCK_DGRAM, socket.SOCK_STREAM)):
        self.fails = fails
        for a in addresses:
            for kind in kinds:
                s = socket.socket(socket.AF_INET6 if ":" in a else socket.AF_INET, kind)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind((a, 53))
                if kind == socket.SOCK_STREAM:
                    s.listen(20)
                threading.Thread(target=self.udp if kind == socket.SOCK_DGRAM else self.tcp, args=(s,), daemon=True).start()

    def answer(self, question):
        at = 12
        while question[at]:
            at += 1 + question[at]
        if struct.unpack(">H", question[at + 1 : at + 3])[0] == self.fails:
            return question[:2] + b"\x80\x02\0\x01\0\0\0\0\0\0" + question[12 : at + 5]
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
            s.settimeout(3)
            s.connect((FIRST[0], 53))
            s.sendall(struct.pack(">H", len(question)) + question)
            size = struct.unpack(">H", s.recv(2, socket.MSG_WAITALL))[0]
            return s.recv(size, socket.MSG_WAITALL)

    def udp(self, s):
        while True:
            question, who = s.recvfrom(4096)
            try:
                s.sendto(self.answer(question), who)
            except OSError:
                pass

    def tcp(self, s):
        while True:
            connection, _ = s.accept()
            with connection:
                try:
                    size = struct.unpack(">H", connection.recv(2, socket.MSG_WAITALL))[0]
                    reply = self.answer(connection.recv(size, socket.MSG_WAITALL))
                    connection.sendall(struct.pack(">H", len(reply)) + reply)
                except (OSError, struct.error, IndexError):
                    pass


def serve(folder, description, roots):
    """Signs all zones and starts the servers. Returns the processes and the file of the root's key."""
    os.makedirs(folder, exist_ok=True)
    zones = {z.name: z for z in description}
    children = {name: [] for name in zones}
    for z in description:
        z.key(folder)
        if z.name != ".":
            children[parent(zones, z.name).name].append(z)
    files, other = {}, []
    for z in description:
        text = z.text(children[z.name])
        files[z.name] = (z.dotted, z.sign(folder, text, "zone"))
        if z.other:
            other.append((z.dotted, z.sign(folder, z.other(text), "other")))
    with open(f"{folder}/root.ds", "w", encoding="ascii") as f:
        f.write(f". IN DS {zones['.'].ds}\n")
    above = [files[z.name] for z in description if z.above]
    rest = [files[z.name] for z in description if z.name != "." and not z.above]
    processes = [
        nsd(folder, "root", roots, [files["."]]),
        nsd(folder, "above", TLD, above),
        nsd(folder, "first", FIRST, rest),
        nsd(folder, "second", SECOND, rest),
        nsd(folder, "other", OTHER, other),
    ]
    Relay(NO_TLSA + NO_TLSA_2, fails=52)
    Relay(NO_TCP, kinds=[socket.SOCK_DGRAM])
    for server, held in ((ROOT, [files["."]]), (TLD[0], above), (FIRST[0], rest), (SECOND[0], rest), (OTHER[0], other)):
        wait_for(folder, server, [dotted for dotted, _ in held])
    return processes, f"{folder}/root.ds"


def wait_for(folder, server, zones):
    """A server answers before it has loaded all its zones."""
    with open(f"{folder}/wait", "w", encoding="ascii") as f:
        f.write("".join(f"{z} SOA\n" for z in zones))
    for _ in range(300):
        done = subprocess.run(
            ["dig", f"@{server}", "+norec", "+time=1", "+tries=1", "-f", f"{folder}/wait"], capture_output=True, text=True
        )
        if done.stdout.count("status: NOERROR") == len(zones) and len(re.findall(r"flags:[a-z ]* aa[ ;]", done.stdout)) == len(zones):
            return
        time.sleep(0.2)
    raise RuntimeError(f"the name server {server} does not answer for all its zones")


def reverse_zone(network, pairs):
    """The zone of PTR records of addresses in a network: its name and records."""
    bits = ipaddress.ip_network(network)
    step = 8 if bits.version == 4 else 4
    labels = bits.network_address.reverse_pointer.split(".")
    name = ".".join(labels[-(bits.prefixlen // step) - 2 :])
    lines = [f"{ipaddress.ip_address(a).reverse_pointer}. PTR {host}." for a, host in pairs if ipaddress.ip_address(a) in bits]
    return name, "\n".join(lines)
