# SPDX-License-Identifier: BSD-2-Clause
"""RPZ, DNS64 and EDNS Client Subnet stay over reboots and an upgrade of Unbound: the examples of assay-unbound(8), as the
packages lay out a host: parts in a folder, our own settings, a chain in unbound-modules, and assay-unbound-prepare before
each start, with a run folder that is empty after a boot.

The upgrade is to UPGRADE=FOLDER (another build of Unbound with its module in it), else to the same pair with another
patch level in its stamp."""
import os
import re
import shutil
import subprocess

import tree as trees
from answers_cases import POLICY
from cache_cases import passes, refused
from caches_cases import FIRST, SECOND, Networks, last_octet
from resolver import MODULE, TOP, UNBOUND, Resolver
from trouble_cases import prepare

NEWER = os.environ.get("UPGRADE", os.path.join(os.path.dirname(UNBOUND), "unbound-trixie"))


def examples():
    """The manual's: name, chain, file, its text."""
    with open(os.path.join(TOP, "man/assay-unbound.8"), encoding="ascii") as f:
        text = f.read()
    block = text[text.index("Examples, with the files") :]
    block = block[block.index(".Bd") : block.index(".Ed")]
    for m in re.finditer(r"^(\w+): +(dynlib.*|dns64.*)\n +unbound\.conf\.d/(\S+): +((?:.|\n)*?)(?=^\w|\Z)", block + "\n", re.M):
        yield m[1], m[2].strip(), m[3], m[4]


class Host(Resolver):
    def __init__(self, place, tree, name, chain, file, text):
        super().__init__(place, tree, POLICY, name=name)
        self.place, self.lib, self.run = self.folder, f"{self.folder}/lib", f"{self.folder}/run"
        self.parts = f"{self.folder}/unbound.conf.d"
        os.makedirs(f"{self.lib}/unbound")
        os.makedirs(self.parts)
        shutil.copy(f"{UNBOUND}/sbin/unbound", f"{self.folder}/plain")
        with open(self.conf, encoding="ascii") as f:
            basics = f.read()
        basics = re.sub(r"  module-config:.*\n", "", basics)
        basics = re.sub(r"dynlib:\n  dynlib-file:.*\n", "", basics)
        self.write(f"{self.parts}/00-host.conf", basics)
        with open(os.path.join(TOP, "contrib/unbound/assay.conf"), encoding="ascii") as f:
            self.write(f"{self.parts}/assay.conf", f.read().replace("/run/assay-unbound", self.run))
        self.write(f"{self.parts}/{file}", text)
        self.write(self.conf, f'include-toplevel: "{self.parts}/*.conf"\n')
        self.write(f"{self.folder}/modules", chain + "\n")

    def write(self, path, text):
        with open(path, "w", encoding="ascii") as f:
            f.write(text)

    def install(self, unbound=None, module=None, level=None):
        """Puts a pair, or half of one, where the package has it; `level` makes another patch level of it."""
        for source, to in ((unbound, f"{self.lib}/unbound/unbound"), (module, f"{self.lib}/assay-unbound.so")):
            if not source:
                continue
            with open(source, "rb") as f:
                data = f.read()
            if level:
                assert b"ASSAY_PATCHLEVEL=1" in data, source
                data = re.sub(rb"ASSAY_PATCHLEVEL=1\.", b"ASSAY_PATCHLEVEL=" + level + b".", data)
            with open(to + ".new", "wb") as f:
                f.write(data)
            os.chmod(to + ".new", 0o755)
            os.replace(to + ".new", to)

    def boot(self, policy=POLICY):
        """What the unit does, on a run folder that is empty."""
        self.stop()
        shutil.rmtree(self.run, ignore_errors=True)
        done = prepare(self.folder, self.lib, policy.replace("JOURNAL", self.journal), plain=f"{self.folder}/plain")
        if done.returncode:
            return done
        env = dict(os.environ, ASSAY_POLICY=self.policy, ASSAY_RESOLVER_DIR=self.state, ASSAY_STATE=self.folder)
        self.process = subprocess.Popen(
            [f"{self.run}/unbound", "-d", "-c", self.conf], env=env, stdout=subprocess.DEVNULL, stderr=open(f"{self.folder}/stderr", "ab")
        )
        self.wait_ready()
        return done


def rpz_works(r):
    answer = r.ask("rewritten.signed.zz")
    assert answer.records == ["rewritten.signed.zz. 60 IN A 198.51.100.66"], answer
    assert r.ask("www.two.zz").rcode == "NXDOMAIN"


def dns64_works(r):
    answer = r.ask("www.signed.zz", "AAAA")
    assert answer.rcode == "NOERROR" and any(" AAAA 64:ff9b::" in line for line in answer.records), answer


def ecs_works(r):
    for network, want in ((FIRST, "100"), (SECOND, "7")):
        assert last_octet(r.ask("www.networks.zz", network=network)) == [want], network


WORKS = {"RPZ": rpz_works, "DNS64": dns64_works, "ECS": ecs_works}


def judges(r):
    for _ in range(2):
        refused(r, "www.unsigned.zz")
        passes(r, "www.free.zz")
        passes(r, "www.signed.zz", want="secure")


def other_pair():
    """The Unbound and module to upgrade to, and the patch level to give them."""
    unbound, module = f"{NEWER}/sbin/unbound", f"{NEWER}/assay-unbound.so"
    if NEWER != UNBOUND and os.path.exists(unbound) and os.path.exists(module):
        return unbound, module, None
    return f"{UNBOUND}/sbin/unbound", MODULE, b"9"


def over_boots(place, tree, name, chain, file, text):
    zone = os.path.join(place, "rpz.zone")
    with open(zone, "w", encoding="ascii") as f:
        f.write("$ORIGIN rpz.example.\n@ 300 IN SOA a. b. 1 2 3 4 5\n 300 IN NS localhost.\n")
        f.write("rewritten.signed.zz 60 IN A 198.51.100.66\nwww.two.zz CNAME .\n")
    text = text.replace("/var/lib/unbound/rpz.zone", zone).replace("192.0.2.53", trees.NETWORKS)
    if name == "ECS":
        text += "    client-subnet-always-forward: yes\n"  # the test's own: its server is asked for what it was not told
    host, works = Host(place, tree, name, chain, file, text), WORKS[name]
    unbound, module, level = other_pair()
    try:
        host.install(f"{UNBOUND}/sbin/unbound", MODULE)
        for _ in range(2):
            done = host.boot()
            assert done.returncode == 0 and "WITHOUT" not in done.stderr, done
            works(host)
            judges(host)
        # An interrupted upgrade: the new module with the old Unbound.
        host.install(module=module, level=level)
        done = host.boot()
        assert done.returncode == 0 and "WITHOUT the module" in done.stderr, done
        works(host)
        assert host.ask("www.unsigned.zz").rcode == "NOERROR"
        host.stop()
        assert host.boot(POLICY + "set resolver.when-broken stop\n").returncode == 1
        # The whole of it.
        host.install(unbound=unbound, level=level)
        for _ in range(2):
            done = host.boot()
            assert done.returncode == 0 and "WITHOUT" not in done.stderr, done
            works(host)
            judges(host)
        with open(f"{host.run}/module.conf", encoding="ascii") as f:
            assert f'module-config: "{chain}"' in f.read()
        version = host.ask("version.server", "TXT", rdclass="CH").records
        assert level or not any("1.17" in line for line in version), version
    finally:
        host.stop()


def test_examples_stay_over_boots_and_an_upgrade(place, tree):
    all_of_them = list(examples())
    assert [e[0] for e in all_of_them] == ["RPZ", "DNS64", "ECS"], all_of_them
    with Networks():
        for example in all_of_them:
            over_boots(place, tree, *example)
