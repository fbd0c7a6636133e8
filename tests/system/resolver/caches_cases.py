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
from answers_cases import POLICY, describe
from cache_cases import passes, race, refused, rpz
from excuse_cases import SUSPEND, nothing
from policy_cases import FREE
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


def without_ttl(answer):
    return sorted(" ".join(w for i, w in enumerate(line.split()) if i != 1) for line in answer.records)


def as_without_network(r, name, rdtype="A", **how):
    """With CD or without, with a network or none, a client is told what one without both is told."""
    plain = r.ask(name, rdtype)
    for cd in (True, False, True):
        for network in (FIRST, "0.0.0.0", None):
            got = r.ask(name, rdtype, cd=cd, network=network, **how)
            assert describe(got) == describe(plain), f"{name} {rdtype} from {network} {how}: {got}, else {plain}"
            assert without_ttl(got) == without_ttl(plain), f"{name}: {got}, else {plain}"
            assert [e for e, _ in got.ede if e in (15, 33)] == [e for e, _ in plain.ede if e in (15, 33)], f"{name}: {got}, else {plain}"


def test_client_subnet_with_cd(place, tree):
    """subnetcache has nobody validate what it asks with CD behind a network's question, whatever ignore-cd-flag says. What
    was not validated is given to nobody: a client is answered as it would be without CD and network, whoever asks first."""
    policy = POLICY + SUSPEND.replace("expired.zz", "notyet.zz")
    names = ("www.signed.zz", "www.two.zz", "www.free.zz", "www.unsigned.zz", "no.unsigned.zz", "www.expired.zz", "no.signed.zz")
    names += ("to-unsigned.free.zz", "to-two.signed.zz", "www.notyet.zz", "a.wild.free.zz")
    for number, module in enumerate((SUBNET, SUBNET.replace("dynlib", "dynlib respip"))):
        for threads in (1, 2):
            for always in ("yes", "no"):
                options = SUBNET_OPTIONS.replace("always-forward: yes", f"always-forward: {always}")
                options = options.replace("\n", f"\n  send-client-subnet: {trees.HOST}\n", 1)
                name = f"m{number}{threads}{always}"
                with Networks(), Resolver(place, tree, policy, name=name, module=module, options=options, threads=threads) as r:
                    for first in names:
                        r.ask(first, network=FIRST, cd=True)
                        r.ask(first, network="0.0.0.0", cd=True)
                    for rdtype in ("A", "TXT", "DNSKEY"):
                        for n in names:
                            as_without_network(r, n, rdtype)
                            as_without_network(r, n, rdtype, tcp=True)
                    each_network_has_its_own(r)
                    for network in (None, FIRST, SECOND, "0.0.0.0"):
                        passes(r, "www.signed.zz", want="secure", network=network)
                        refused(r, "www.unsigned.zz", network=network)
                        assert r.ask("www.expired.zz", network=network).rcode == "SERVFAIL"


def test_client_subnet_with_cd_honoured(place, tree):
    """A client that may judge for itself gets what there is, and leaves nothing of it to others."""
    policy = POLICY + "set resolver.cd honour\n"
    with Networks(), Resolver(place, tree, policy, module=SUBNET, options=SUBNET_OPTIONS) as r:
        for _ in range(2):
            for network in (FIRST, "0.0.0.0"):
                assert r.ask("www.unsigned.zz", network=network, cd=True).data
                assert r.ask("www.expired.zz", network=network, cd=True).data
        for network in (FIRST, "0.0.0.0", None):
            refused(r, "www.unsigned.zz", network=network)
            assert r.ask("www.expired.zz", network=network).rcode == "SERVFAIL"
            passes(r, "www.signed.zz", want="secure", network=network)


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
        print(f"        (left out: the Unbound of {UNBOUND} was built without --enable-cachedb, as Debian 12's is; another")
        print('        is made by UNBOUND_OPTIONS=--enable-cachedb make -C resolver-module UNBOUND=FOLDER MODULE=FILE)')
        return
    backend = 'cachedb:\n  backend: "testframe"\n'
    for number, module in enumerate((CACHEDB, "dynlib respip validator cachedb iterator", "dns64 " + CACHEDB)):
        for threads in (1, 2):
            name = f"chain{number}{threads}"
            with Resolver(place, tree, FREE, name=name, module=module, threads=threads, after=backend) as r:
                passes(r, "www.unsigned.zz")  # cachedb has it from before it was required
                passes(r, "www.free.zz")
                r.change_policy(POLICY)
                assert "given nothing new to keep" in r.words(), r.words()
                for _ in range(3):
                    for how in ({}, {"cd": True}, {"tcp": True, "do": True}):
                        for refuse in ("www.unsigned.zz", "to-unsigned.free.zz", "no.unsigned.zz"):
                            refused(r, refuse, **how)
                        passes(r, "www.free.zz", **how)
                        passes(r, "www.signed.zz", want="secure", **how)
                        nothing(r, "www.expired.zz", **how)
                    r.control("flush_zone", "zz")
    wrong = CACHEDB.replace("dynlib validator cachedb", "cachedb dynlib validator")
    with Resolver(place, tree, POLICY, name="wrong", module=wrong, after=backend) as r:
        assert "must stand after dynlib" in r.words(), r.words()


def test_caches_in_front_are_named(place, tree):
    for module, name in ((SUBNET.replace("dynlib subnetcache", "subnetcache dynlib"), "subnetcache"), (SUBNET, None)):
        with Resolver(place, tree, POLICY, name=str(name) + module[:4], module=module) as r:
            said = "must stand after dynlib" in r.words() and f'write "{SUBNET}"' in r.words()
            assert said == (name is not None), f"{module}: {r.words()}"
            assert r.wait_for(lambda: r.status().get("modules") == module), r.status()
            assert (f'write "{SUBNET}"' in r.status().get("order", "")) == said, r.status()


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
