# SPDX-License-Identifier: BSD-2-Clause
"""Refusals that are asked for again and again: from the fourth on a worker gives them from its cache, without the module.
The client sees no difference, all are counted, a change of the policy is seen at once, and where somebody else has a say
in the answer, or something of the whole way is wanted, they go the whole way."""
import os
import subprocess
import threading
import time

import dns.name
import tree as trees
from answers_cases import POLICY
from cache_cases import passes, refused
from excuse_cases import RESPIP
from resolver import BUILD, UNBOUND, Resolver

FREE = POLICY.replace('require dnssec of names in unsigned.zz   because "the contract says so"\n', "")
TWO = 'view:\n  name: v\n  view-first: yes\n  response-ip: 203.0.113.77/32 redirect\n  response-ip-data: 203.0.113.77/32 "A 203.0.113.99"\n'


def number(r, name):
    lines = [line for line in r.control("stats_noreset").splitlines() if line.startswith(f"total.num.{name}=")]
    return int(lines[0].split("=")[1])


def heat(r, *questions):
    """Asks until a worker answers by itself, if it may; the last answer of each."""
    last = []
    for name, rdtype in questions:
        for _ in range(3):
            refused(r, name, rdtype)
        last.append(r.ask(name, rdtype))
    return last


def from_cache(r, name, rdtype="A", times=10, **how):
    """How many of these questions a worker answered from its cache; all are refused."""
    before = number(r, "cachehits")
    for _ in range(times):
        answer = r.ask(name, rdtype, **how)
        assert answer.rcode == "SERVFAIL" and not answer.data and not answer.message.authority, f"{name} {rdtype} {how}: {answer}"
    return number(r, "cachehits") - before


QUESTIONS = (
    ("www.unsigned.zz", "A"),
    ("six.unsigned.zz", "AAAA"),
    ("www.unsigned.zz", "TXT"),
    ("www.unsigned.zz", "HTTPS"),
    ("no.unsigned.zz", "A"),
    ("x.wild.unsigned.zz", "A"),
    ("c.deep.unsigned.zz", "A"),
    ("alias.unsigned.zz", "A"),
    ("www.d.unsigned.zz", "A"),
    ("to-unsigned.signed.zz", "A"),
    ("to-unsigned.free.zz", "A"),
    ("chain0.free.zz", "A"),
    ("www.du.signed.zz", "A"),
    ("unsigned.zz", "NS"),
    ("unsigned.zz", "SOA"),
)


def test_hot_refusals_look_the_same(place, tree):
    with Resolver(place, tree, POLICY, threads=1) as r:
        for name, rdtype in QUESTIONS:
            first = r.ask(name, rdtype)
            heat(r, (name, rdtype))
            assert from_cache(r, name, rdtype) == 10, f"{name} {rdtype}: the module was asked"
            ways = ({}, {"do": True}, {"tcp": True}, {"cd": True, "do": True}, {"rd": False}, {"source": "127.0.0.9"})
            for how in ways:
                again = r.ask(name.upper() if how else name, rdtype, **how)
                shape = (again.rcode, again.ede, again.data, again.ad, len(again.message.authority), len(again.message.additional))
                assert shape == ("SERVFAIL", first.ede, False, False, 0, 0), f"{name} {rdtype} {how}: {again}, not {first}"
                asked = again.message.question[0].name
                assert asked.to_text() == dns.name.from_text(name.upper() if how else name).to_text(), asked  # in its own case
            plain = r.ask(name, rdtype, edns=False)
            assert plain.rcode == "SERVFAIL" and not plain.ede and not plain.message.options, plain
        heat(r, ("www.unsigned.zz", "ANY"))  # what Unbound keeps of it differs by version
        from_cache(r, "www.unsigned.zz", "ANY")
        for name in ("six.unsigned.zz", "www.unsigned.zz"):  # with CD, AAAA stands by itself in Unbound's cache
            for _ in range(6):
                refused(r, name, "AAAA", cd=True)
        passes(r, "www.free.zz")
        passes(r, "www.signed.zz", want="secure")


def test_hot_refusals_are_counted(place, tree):
    with Resolver(place, tree, POLICY, threads=1) as r:
        heat(r, ("www.unsigned.zz", "A"))
        assert from_cache(r, "www.unsigned.zz", times=50) == 50

        def counted():
            return sum(x["refused"] for x in r.records() if x["zone"] == "unsigned.zz")

        assert r.wait_for(lambda: counted() >= 54, 15), r.records()
        assert counted() == 54, r.records()


def test_hot_refusals_heed_a_change(place, tree):
    with Resolver(place, tree, POLICY, threads=1) as r:
        names = (("www.unsigned.zz", "A"), ("six.unsigned.zz", "AAAA"), ("to-unsigned.free.zz", "A"))
        for free in (
            FREE,
            POLICY.replace("set mode enforce", "set mode dry-run"),
            POLICY + 'exempt unsigned.zz from dnssec because "why" agreed by "who" through 2027-06-30\n',
        ):
            heat(r, *names)
            assert from_cache(r, "www.unsigned.zz") == 10
            r.change_policy(free)
            for name, rdtype in names:
                passes(r, name, rdtype)
                passes(r, name, rdtype, cd=True)
            r.change_policy(POLICY)
            for name, rdtype in names:
                refused(r, name, rdtype)
        heat(r, *names)
        r.change_policy(POLICY + "set resolver.cd honour\n")
        for _ in range(5):
            refused(r, "www.unsigned.zz")
            assert r.ask("www.unsigned.zz", cd=True).data
        assert from_cache(r, "www.unsigned.zz") == 0, "what CD clients get is kept from them by nobody else"
        r.change_policy(POLICY)
        heat(r, *names)
        assert from_cache(r, "www.unsigned.zz") == 10
        assay = os.path.join(BUILD, "assay")
        subprocess.run([assay, "pause", "1h", "-S", r.folder, "because", "a test"], check=True, capture_output=True)
        assert r.wait_for(lambda: r.ask("www.unsigned.zz").data, 10)
        subprocess.run([assay, "resume", "-S", r.folder], check=True, capture_output=True)
        assert r.wait_for(lambda: not r.ask("www.unsigned.zz").data, 10)
        refused(r, "www.unsigned.zz")


def test_hot_refusals_under_a_policy_that_changes(place, tree):
    """Threads that ask without end while the policy goes to and fro: after each change the answers are the new policy's."""
    data = os.path.join(place, "names")
    with open(data, "w", encoding="ascii") as f:
        f.write("www.unsigned.zz A\nno.unsigned.zz A\nto-unsigned.free.zz A\nsix.unsigned.zz AAAA\n")
    with Resolver(place, tree, POLICY, threads=2, options="  so-reuseport: yes\n") as r:
        asker = subprocess.Popen(
            ["nice", "dnsperf", "-s", "127.0.0.1", "-d", data, "-c", "8", "-q", "40", "-l", "600", "-Q", "4000"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(6):
                time.sleep(0.3)
                r.change_policy(FREE)
                for _ in range(20):
                    passes(r, "www.unsigned.zz")
                    passes(r, "to-unsigned.free.zz")
                r.change_policy(POLICY)
                for _ in range(20):
                    refused(r, "www.unsigned.zz")
                    refused(r, "to-unsigned.free.zz")
        finally:
            asker.terminate()
            asker.wait()


def test_hot_refusals_are_flushed(place, tree):
    with Resolver(place, tree, POLICY, threads=1) as r:
        for command in (("flush", "www.unsigned.zz"), ("flush_zone", "unsigned.zz"), ("flush_bogus",), ("reload_keep_cache",), ("reload",)):
            heat(r, ("www.unsigned.zz", "A"))
            assert from_cache(r, "www.unsigned.zz", times=3) == 3, command
            r.control(*command)
            r.wait_ready()
            assert from_cache(r, "www.unsigned.zz", times=1) == 0, command


def test_hot_refusals_in_a_dump(place, tree):
    """A cache with such refusals, loaded into a resolver whose policy does not require the name."""
    dump = os.path.join(place, "dump")
    with Resolver(place, tree, POLICY, threads=1) as r:
        heat(r, ("www.unsigned.zz", "A"))
        with open(dump, "w", encoding="utf-8") as f:
            f.write(r.control("dump_cache"))
    with Resolver(place, tree, FREE, name="free", threads=1) as r:
        with open(dump, encoding="utf-8") as f:
            subprocess.run([f"{UNBOUND}/sbin/unbound-control", "-c", r.conf, "load_cache"], stdin=f, check=True, capture_output=True)
        r.control("reload_keep_cache")
        r.wait_ready()
        passes(r, "www.unsigned.zz")


def test_hot_refusals_end_with_the_answer(place, tree):
    """An answer of two seconds: a new one is fetched and judged, with prefetch before the end."""
    for prefetch in ("no", "yes"):
        with Resolver(place, tree, POLICY, name=prefetch, threads=1, options=f"  prefetch: {prefetch}\n") as r:
            end, hits, misses = time.time() + 5, number(r, "cachehits"), number(r, "cachemiss")
            while time.time() < end:
                refused(r, "short.unsigned.zz")
                time.sleep(0.02)
            assert number(r, "cachehits") > hits and number(r, "cachemiss") - misses > 3, r.control("stats_noreset")


def test_hot_refusals_and_unbounds_own_lookups(place, tree):
    """hosted.zz is free here, and its server's name is refused to clients without end: it resolves, with and without that
    name's answer in the cache."""
    policy = POLICY.replace("require dnssec of names in hosted.zz\n", "")
    with Resolver(place, tree, policy, threads=1) as r:
        for _ in range(2):
            heat(r, ("ns9.unsigned.zz", "A"), ("ns9.unsigned.zz", "AAAA"), ("unsigned.zz", "NS"))
            assert from_cache(r, "ns9.unsigned.zz") == 10
            for name in ("www.hosted.zz", "x.wild.hosted.zz"):
                passes(r, name)
            r.control("flush_zone", "hosted.zz")
        heat(r, ("www.unsigned.zz", "DNSKEY"), ("www.unsigned.zz", "DS"))
        assert from_cache(r, "www.unsigned.zz", "DNSKEY") == from_cache(r, "www.unsigned.zz", "DS") == 0, "the validator's own"


def test_hot_refusals_with_ignore_cd_flag_switched_off(place, tree):
    with Resolver(place, tree, POLICY, threads=2, options="  so-reuseport: yes\n") as r:
        heat(r, ("www.unsigned.zz", "A"))
        for turn in range(12):
            r.control("set_option", "ignore-cd-flag:", "no")
            for _ in range(3):
                answer = r.ask("www.unsigned.zz", cd=True)
                assert not answer.data and not answer.message.authority, f"turn {turn}: {answer}"
            refused(r, "www.unsigned.zz")


def test_hot_refusals_of_permissive_validation(place, tree):
    with Resolver(place, tree, POLICY, threads=1, options="  val-permissive-mode: yes\n") as r:
        heat(r, ("www.unsigned.zz", "A"))
        from_cache(r, "www.unsigned.zz", cd=True)
        refused(r, "www.unsigned.zz")


def test_more_hot_names_than_are_remembered(place, tree):
    """Names in each other's places: each refusal is told in its own words."""
    with Resolver(place, tree, POLICY, threads=1) as r:
        for turn in range(5):
            for i in range(2600):
                name = f"n{i}.wild.unsigned.zz"
                answer = r.ask(name)
                assert answer.rcode == "SERVFAIL" and len(answer.ede) == 1, f"{name} turn {turn}: {answer}"
                assert f": {name} is not signed" in answer.ede[0][1], f"{name} turn {turn}: {answer}"


# Where the module is asked each time: somebody else has a say in the answer, or something of the whole way is wanted.
WHOLE_WAY = {
    "serve-expired": {"options": "  serve-expired: yes\n"},
    "ede": {"options": "  ede: yes\n"},
    "statistics": {"options": "  extended-statistics: yes\n"},
    "log-servfail": {"options": "  log-servfail: yes\n"},
    "respip": {"module": RESPIP},
    "view": {"options": "  access-control-view: 127.0.0.8/32 v\n", "after": TWO, "module": RESPIP},
    "subnetcache": {"module": "dynlib subnetcache validator iterator"},
    "dns64": {"module": "dns64 dynlib validator iterator"},
}


def test_where_hot_refusals_go_the_whole_way(place, tree):
    for name, how in WHOLE_WAY.items():
        with Resolver(place, tree, POLICY, name=name, threads=1, **how) as r:
            first = heat(r, ("www.unsigned.zz", "A"))[0]
            assert from_cache(r, "www.unsigned.zz") == 0, f"{name}: the module was not asked"
            answer = r.ask("www.unsigned.zz")
            assert answer.ede == first.ede and len(answer.ede) == 1, f"{name}: {answer}"
            if name == "statistics":
                assert "num.answer.bogus=0" in r.control("stats_noreset"), r.control("stats_noreset")
            if name == "log-servfail":
                assert r.words().count("www.unsigned.zz") >= 14, r.words()
            if name == "view":
                heat(r, ("rewritten.unsigned.zz", "A"))
                changed = r.ask("rewritten.unsigned.zz", source="127.0.0.8")
                assert "203.0.113.99" in str(changed.records), changed
                refused(r, "rewritten.unsigned.zz")


def test_hot_refusals_of_many_threads(place, tree):
    """Four threads and one name: each answer has its words."""
    with Resolver(place, tree, POLICY, threads=4, options="  so-reuseport: yes\n") as r:
        want, wrong = heat(r, ("www.unsigned.zz", "A"))[0].ede, []

        def ask():
            for _ in range(500):
                answer = r.ask("www.unsigned.zz", timeout=20)
                if answer.ede != want:
                    wrong.append(answer)

        askers = [threading.Thread(target=ask) for _ in range(8)]
        for t in askers:
            t.start()
        for t in askers:
            t.join()
        assert not wrong, wrong[:3]
        tree.stop(trees.HOST)
        try:
            assert r.ask("www.unsigned.zz").ede == want, "not from the cache"
        finally:
            tree.start(trees.HOST)
            time.sleep(0.5)
