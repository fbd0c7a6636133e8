# SPDX-License-Identifier: BSD-2-Clause
"""dns - name servers and the resolver of the private internet: NSD for root, top level and hosting, one server that
never answers, Unbound."""
import os
import shutil
import socket
import subprocess
import time

import internet
import zones

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESOLVER = "203.0.113.53"
ROOTS = None  # every address of the root servers, set by start()


def wait_for(what, test, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if test():
            return
        time.sleep(0.03)
    raise RuntimeError(f"{what} does not answer")


def dig(server, name, kind="A", *options, timeout=3):
    """What dig says, as its lines of text."""
    done = subprocess.run(
        ["dig", f"@{server}", f"+time={timeout}", "+tries=1", "+norec" if server != RESOLVER else "+rec", *options, name, kind],
        capture_output=True,
        text=True,
    )
    return done.stdout


def answers(server, name, kind="SOA"):
    return "status: NOERROR" in dig(server, name, kind, timeout=1)


def silence(address):
    """A server that never answers: takes what comes, over UDP and TCP, and says nothing. Returns the sockets, to be kept."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 53))
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, 53))
    tcp.listen(100)
    return udp, tcp


class Servers:
    """The authoritative side. folder: where zones, keys, configuration and logs are; anchor: the file of the root's key; description:
    other zones than internet.py's."""

    def __init__(self, folder, roots, description=None):
        self.folder, self.roots, self.processes = folder, roots, []
        self.description = description
        self.anchor = f"{folder}/root.ds"

    def start(self):
        self.zones = zones.build(self.folder, self.description or internet.internet())
        served = [z for z in self.zones.values() if z.kind != "dead"]
        top = [z for z in served if z.name != "." and ("." not in z.name or z.name.endswith("in-addr.arpa"))]
        groups = {
            "root": (self.roots, [self.zones["."]]),
            "top": ([zones.TLD_SERVER], top),
            "hosting": (list(zones.HOSTS), [z for z in served if z.name != "." and z not in top]),
        }
        for name, (where, which) in groups.items():
            conf = zones.nsd_conf(self.folder, name, where, which)
            self.processes.append(
                subprocess.Popen(
                    [shutil.which("nsd") or "/usr/sbin/nsd", "-d", "-c", conf],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        self.silent = silence(zones.DEAD_SERVER)
        for name, (where, which) in groups.items():
            wait_for(f"nsd ({name}; its log: {self.folder}/{name}.log)", lambda w=where, z=which: answers(w[0], z[0].dotted))
        return self


def unbound_binary():
    """The Unbound that can load our module where it was built, else an installed one, else None."""
    build = os.path.join(TOP, os.environ.get("BUILD", "build"))
    for path in (f"{build}/unbound/sbin/unbound", f"{build}/unbound/unbound", "/usr/lib/assay/unbound", "/usr/sbin/unbound"):
        if os.access(path, os.X_OK):
            return path
    return None


def module_file():
    build = os.path.join(TOP, os.environ.get("BUILD", "build"))
    for path in (f"{build}/assay-unbound.so", f"{build}/resolver-module/assay-unbound.so"):
        if os.path.exists(path):
            return path
    return None


class Unbound:
    """The resolver, with the module in its chain where there is one. policy: the policy file it obeys."""

    def __init__(self, folder, anchor, binary, module=None, policy=None, state=None):
        self.folder, self.anchor, self.binary, self.module, self.policy, self.state = folder, anchor, binary, module, policy, state
        self.process = None

    def write(self):
        os.makedirs(self.folder, exist_ok=True)
        lines = [
            "server:",
            '    username: ""',
            '    chroot: ""',
            f'    directory: "{self.folder}"',
            '    pidfile: ""',
            "    use-syslog: no",
            f'    logfile: "{self.folder}/log"',
            "    verbosity: 1",
            "    num-threads: 2",
            f"    interface: {RESOLVER}",
            "    do-ip6: no",
            "    access-control: 0.0.0.0/0 allow",
            f'    trust-anchor-file: "{self.anchor}"',
            "    val-log-level: 2",
            "    unblock-lan-zones: yes",
            "    insecure-lan-zones: no",
            "    ignore-cd-flag: yes",
            "    ede: yes",
            "    harden-referral-path: no",
            "    infra-host-ttl: 30",
            "    do-not-query-localhost: yes",
            "    use-caps-for-id: no",
        ]
        if self.module:
            lines += ['    module-config: "dynlib validator iterator"', "dynlib:", f'    dynlib-file: "{self.module}"']
        else:
            lines += ['    module-config: "validator iterator"']
        lines += ["remote-control:", "    control-enable: no"]
        with open(f"{self.folder}/unbound.conf", "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")

    def start(self):
        self.write()
        environment = dict(os.environ)
        if self.policy:
            environment["ASSAY_POLICY"] = self.policy
        if self.state:
            environment["ASSAY_RESOLVER_DIR"] = self.state
        self.process = subprocess.Popen(
            [self.binary, "-d", "-c", f"{self.folder}/unbound.conf"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        wait_for(f"unbound (its log: {self.folder}/log)", lambda: answers(RESOLVER, "bank.example"), 15)
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
