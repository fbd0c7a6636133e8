# SPDX-License-Identifier: BSD-2-Clause
"""zones - the DNS of the private internet: what it says (internet.py), written as zones, signed by ldns, and broken where it must be.

How a zone is signed: signed; unsigned (delegated without DS: provably insecure); expired (its signatures ended yesterday); wrong-ds (its
parent publishes another key's digest); dead (delegated to a server that never answers).
"""
import os
import subprocess
import time

import zone_keys

ROOT_SERVER = "198.41.0.4"
TLD_SERVER = "198.51.100.2"
HOSTS = ("198.51.100.3", "198.51.100.4")
DEAD_SERVER = "198.51.100.66"


class Zone:
    def __init__(self, name, kind, records):
        self.name = name  # "." or without the final dot
        self.kind = kind
        self.records = records  # lines "OWNER [TTL] TYPE RDATA", OWNER relative, @ the zone itself
        self.children = []
        self.ds = None
        self.key = None

    @property
    def dotted(self):
        return "." if self.name == "." else self.name + "."

    @property
    def label(self):
        return "root" if self.name == "." else self.name


def parent_of(zones, name):
    if name == ".":
        return None
    while "." in name:
        name = name.split(".", 1)[1]
        if name in zones:
            return zones[name]
    return zones["."]


def servers_of(zone):
    """Name and address of the zone's name servers."""
    if zone.name == ".":
        return [("a.root-servers.net.", ROOT_SERVER)]
    if "." not in zone.name or zone.name.endswith("in-addr.arpa"):
        return [("ns.nic.example.", TLD_SERVER)]
    if zone.kind == "dead":
        return [("ns.dead.example.", DEAD_SERVER)]
    return [("ns1.host.example.", HOSTS[0]), ("ns2.host.example.", HOSTS[1])]


def ldns(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


def make_key(folder, zone):
    zone.key, zone.ds = zone_keys.make(folder, zone.dotted), zone_keys.ds(zone.dotted)
    if zone.kind == "wrong-ds":
        last = "0" if zone.ds[-1] != "0" else "1"
        zone.ds = zone.ds[:-1] + last


def write_zone(folder, zone):
    lines = [f"$ORIGIN {zone.dotted}", "$TTL 300", "@ SOA ns.nic.example. hostmaster.nic.example. 1 3600 600 86400 60"]
    glue = {}
    lines += [f"@ NS {name}" for name, address in servers_of(zone)]
    if zone.name == ".":
        glue.update(servers_of(zone))
    for child in zone.children:
        owner = child.dotted
        for name, address in servers_of(child):
            lines.append(f"{owner} NS {name}")
            if name.endswith("." + zone.dotted) or zone.name == ".":
                glue[name] = address
        if child.kind not in ("unsigned", "dead") and child.ds:
            lines.append(f"{owner} DS {child.ds}")
    # Addresses of name servers: in the zone itself where it has them, as glue where it delegates.
    for name, address in glue.items():
        lines.append(f"{name} A {address}")
    lines += zone.records
    with open(f"{folder}/{zone.label}.zone", "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def sign_zone(folder, zone):
    if zone.kind in ("unsigned", "dead"):
        return
    day = 86400
    now = time.time()
    begin, end = (now - 9 * day, now - day) if zone.kind == "expired" else (now - day, now + 14 * day)
    stamp = [time.strftime("%Y%m%d%H%M%S", time.gmtime(t)) for t in (begin, end)]
    ldns(
        folder,
        "ldns-signzone",
        "-i",
        stamp[0],
        "-e",
        stamp[1],
        "-o",
        zone.dotted,
        "-f",
        f"{zone.label}.signed",
        f"{zone.label}.zone",
        zone.key,
    )


def build(folder, description):
    """Writes and signs all zones of `description`, a list of (name, kind, records text). Returns {name: Zone}."""
    os.makedirs(folder, exist_ok=True)
    zones = {}
    for name, kind, text in description:
        zones[name] = Zone(name, kind, [line.strip() for line in text.strip().split("\n") if line.strip()])
    for zone in zones.values():
        parent = parent_of(zones, zone.name)
        if parent:
            parent.children.append(zone)
        if zone.kind not in ("unsigned", "dead"):
            make_key(folder, zone)
    for zone in zones.values():
        write_zone(folder, zone)
        sign_zone(folder, zone)
    with open(f"{folder}/root.ds", "w", encoding="ascii") as f:
        f.write(f". IN DS {zones['.'].ds}\n")
    return zones


def nsd_conf(folder, name, addresses, zones):
    """One NSD that serves these zones on these addresses."""
    lines = [
        "server:",
        f'    zonesdir: "{folder}"',
        '    username: ""',
        '    pidfile: ""',
        f'    zonelistfile: "{folder}/{name}.list"',
        f'    xfrdfile: "{folder}/{name}.xfrd"',
        f'    xfrdir: "{folder}"',
        '    database: ""',
        "    server-count: 1",
        f'    logfile: "{folder}/{name}.log"',
        "    hide-version: yes",
        "    rrl-ratelimit: 0",
        "    do-ip6: no",
        "    statistics: 0",
    ]
    lines += [f"    ip-address: {a}" for a in addresses]
    lines += ["remote-control:", "    control-enable: no"]
    for zone in zones:
        suffix = "zone" if zone.kind == "unsigned" else "signed"
        lines += ["zone:", f'    name: "{zone.dotted}"', f'    zonefile: "{zone.label}.{suffix}"']
    path = f"{folder}/{name}.conf"
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")
    return path
