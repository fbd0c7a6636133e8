# SPDX-License-Identifier: BSD-2-Clause
"""Modules that keep a cache of their own beside Unbound's: subnetcache (EDNS Client Subnet, RFC 7871) and cachedb. What
is refused stays refused, what is
one network's stays that network's, and what passes is still kept."""
import socket
import subprocess
import threading

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import tree as trees
from answers_cases import POLICY
from cache_cases import passes, race, refused, rpz
from resolver import UNBOUND, Resolver

SUBNET = "dynlib subnetcache validator iterator"
SUBNET_OPTIONS = f"  send-client-subnet: {trees.NETWORKS}\n  client-subnet-always-forward: yes\n"
CACHEDB = "dynlib validator cachedb iterator"
HAS_CACHEDB = (
    " cachedb" in subprocess.run([f"{UNBOUND}/sbin/unbound", "-V"], capture_output=True, text=True).stdout
)  # Debian 12's was built without
FIRST, SECOND = "198.51.100.0", "198.51.7.0"


class Networks:
    """The name server of networks.zz: an address whose last octet is the third of the client's network, else 254."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((trees.NETWORKS, 53))
        self.socket.settimeout(0.2)
        self.going, self.asked = True, 0
        self.thread = threading.Thread(target=self.run)

    def answer(self, query):
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        name, rdtype = query.question[0].name, query.question[0].rdtype
        networks = [o for o in query.options if isinstance(o, dns.edns.ECSOption)]
        last = networks[0].address.split(".")[2] if networks else "254"
        if rdtype == 1:
            reply.answer.append(dns.rrset.from_text(name, 300, "IN", "A", f"203.0.113.{last}"))
        else:
            reply.authority.append(
                dns.rrset.from_text("networks.zz.", 60, "IN", "SOA", "ns.networks.zz. h.networks.zz. 1 3600 600 86400 60")
            )
        options = [dns.edns.ECSOption(o.address, o.srclen, 24) for o in networks]
        reply.use_edns(0, options=options)
        return reply

    def run(self):
        while self.going:
            try:
                wire, who = self.socket.recvfrom(4096)
            except socket.timeout:
                continue
            query = dns.message.from_wire(wire)
            self.asked += query.question[0].rdtype == 1
            self.socket.sendto(self.answer(query).to_wire(), who)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()
        self.socket.close()


def last_octet(answer):
    return [line.rsplit(".", 1)[1] for line in answer.records]


def each_network_has_its_own(r):
    for _ in range(3):
        for network, want in ((FIRST, "100"), (SECOND, "7"), (None, "0")):
            got = last_octet(r.ask("www.networks.zz", network=network))
            assert got == [want], f"network {network}: {got}, not {want}"


def test_client_subnet_answers_stay_apart(place, tree):
    with Networks() as server:
        asked = []
        for with_module in (False, True):
            with Resolver(place, tree, POLICY, name=str(with_module), with_module=with_module, module=SUBNET, options=SUBNET_OPTIONS) as r:
                before = server.asked
                each_network_has_its_own(r)
                asked.append(server.asked - before)
        assert asked[1] <= asked[0], f"asked the server {asked[1]} times with the module, {asked[0]} without: subnetcache keeps nothing"


def test_client_subnet_and_refusals(place, tree):
    policy = POLICY + "require dnssec of names in networks.zz\n"
    with Networks(), Resolver(place, tree, policy, module=SUBNET, options=SUBNET_OPTIONS) as r:
        for _ in range(3):
            for network in (FIRST, None, SECOND):
                refused(r, "www.networks.zz", network=network)
                passes(r, "www.free.zz", network=network)
                passes(r, "www.signed.zz", want="secure", network=network)
                for name in ("www.unsigned.zz", "to-unsigned.free.zz", "no.unsigned.zz"):
                    answer = r.ask(name, network=network)
                    assert answer.rcode == "SERVFAIL" and not any(
                        line.split()[0].endswith(".unsigned.zz.") for line in answer.records
                    ), f"{name} from {network}: {answer}"
                    assert answer.ede and answer.ede[0][0] == 15, f"{name} from {network}: {answer}"
        r.change_policy(POLICY)
        each_network_has_its_own(r)
        r.change_policy(policy)
        for _ in range(2):
            for network in (FIRST, None, SECOND):
                refused(r, "www.networks.zz", network=network)


def test_client_subnet_with_cd(place, tree):
    """subnetcache has nobody validate what is asked with CD and a network, whatever ignore-cd-flag says: it is refused where
    it is required, and that it was refused to such a client takes the signed name from nobody else."""
    for module in (SUBNET, SUBNET.replace("dynlib", "dynlib respip")):
        with Networks(), Resolver(place, tree, POLICY, name=module[7:13], module=module, options=SUBNET_OPTIONS) as r:
            for _ in range(3):
                for name in ("www.signed.zz", "www.two.zz", "www.unsigned.zz", "www.expired.zz"):
                    for _ in range(3):
                        answer = r.ask(name, network=FIRST, cd=True)
                        assert answer.rcode == "SERVFAIL" or (answer.ad and answer.data), f"{name}: {answer}"
                for network in (None, FIRST, SECOND):
                    for how in ({}, {"tcp": True}):
                        passes(r, "www.signed.zz", want="secure", network=network, **how)
                        passes(r, "www.two.zz", want="secure", network=network, **how)
                        refused(r, "www.unsigned.zz", network=network, **how)


def test_client_subnet_beside_rpz(place, tree):
    """A rule changes one network's answer: that network gets what was changed, and excuses no other, in whatever order."""
    policy = POLICY + "require dnssec of names in networks.zz\n"
    after = rpz(place, "32.7.113.0.203.rpz-ip A 203.0.113.202\n")
    module = SUBNET.replace("dynlib", "dynlib respip")
    for number, order in enumerate(((FIRST, SECOND, None), (SECOND, FIRST, None), (None, SECOND, FIRST))):
        with Networks(), Resolver(place, tree, policy, name=f"o{number}", module=module, options=SUBNET_OPTIONS, after=after) as r:
            for how in ({}, {}, {"cd": True}, {"tcp": True}, {}):
                for network in order:
                    if network == SECOND:
                        assert last_octet(r.ask("www.networks.zz", network=network, **how)) == ["202"], f"{order} {how}"
                    else:
                        refused(r, "www.networks.zz", network=network, **how)
                    refused(r, "www.unsigned.zz", network=network, **how)
                    if "cd" not in how:
                        passes(r, "www.signed.zz", want="secure", network=network, **how)


def hits(r):
    return int([line for line in r.control("stats_noreset").splitlines() if line.startswith("total.num.cachehits=")][0].split("=")[1])


def what_passes_is_kept(place, tree, module, options):
    with Resolver(place, tree, POLICY, module=module, options=options, threads=1) as r:
        for name in ("www.free.zz", "www.signed.zz"):
            assert r.ask(name).data
            before = hits(r)
            for _ in range(4):
                assert r.ask(name).data
            assert hits(r) - before == 4, f"{module}, {name}: {hits(r) - before} of 4 from the cache"


def test_what_passes_is_kept(place, tree):
    for number, (module, options) in enumerate((("dynlib validator iterator", ""), (SUBNET, SUBNET_OPTIONS), (CACHEDB, ""))):
        if module != CACHEDB or HAS_CACHEDB:
            what_passes_is_kept(f"{place}/{number}", tree, module, options)


def test_cachedb(place, tree):
    """Its backend is the one in memory that Unbound's own tests use."""
    if not HAS_CACHEDB:
        print("        no cachedb in this Unbound: its test is left out")
        return
    with Resolver(place, tree, POLICY, module=CACHEDB, after='cachedb:\n  backend: "testframe"\n') as r:
        assert "given nothing new to keep" in r.words(), r.words()
        for _ in range(3):
            for name in ("www.unsigned.zz", "to-unsigned.free.zz", "no.unsigned.zz"):
                refused(r, name)
            passes(r, "www.free.zz")
            r.control("flush_zone", "zz")


def test_caches_in_front_are_named(place, tree):
    for module, name in ((SUBNET.replace("dynlib subnetcache", "subnetcache dynlib"), "subnetcache"), (SUBNET, None)):
        with Resolver(place, tree, POLICY, name=str(name) + module[:4], module=module) as r:
            said = "must stand after dynlib" in r.words()
            assert said == (name is not None), f"{module}: {r.words()}"


def test_dns64_stores_for_itself(place, tree):
    """While an address is looked up to be translated, nobody else may be told from the cache that there is none."""
    stop, wrong = threading.Event(), []
    with Resolver(
        place,
        tree,
        POLICY,
        module="dns64 dynlib validator iterator",
        options="  dns64-prefix: 64:ff9b::/96\n  num-queries-per-thread: 4096\n",
    ) as r:

        def ask(first):
            for i in range(first, first + 300):
                if stop.is_set():
                    return
                answer = r.ask(f"n{i // 3}.wild.free.zz", "AAAA")
                if not answer.data:
                    wrong.append(repr(answer))

        clients = [threading.Thread(target=ask, args=(k % 2,)) for k in range(6)]
        for c in clients:
            c.start()
        for c in clients:
            c.join()
        stop.set()
    assert not wrong, wrong[:3]


def test_race_with_client_subnet(place, tree):
    race(place, tree, 2, SUBNET_OPTIONS, module=SUBNET)
