# SPDX-License-Identifier: BSD-2-Clause
"""What could get round a refusal: the cache, other classes and flags, other modules' look-ups, expired answers, reloads, other threads."""
import os
import subprocess
import time

import dns.exception
import tree as trees
from answers_cases import POLICY, describe
from resolver import Resolver


def refused(r, name, rdtype="A", **options):
    answer = r.ask(name, rdtype, **options)
    assert describe(answer) == "refused", f"{name} {rdtype} {options}: {answer}"


def passes(r, name, rdtype="A", want="passes", **options):
    answer = r.ask(name, rdtype, **options)
    assert describe(answer) == want, f"{name} {rdtype} {options}: {answer}, not {want}"


def test_class_any_then_the_name(place, tree):
    with Resolver(place, tree, POLICY) as r:
        for name in ("www.unsigned.zz", "to-unsigned.signed.zz", "www.free.zz"):
            answer = r.ask(name, rdclass="ANY")
            assert answer.rcode == "REFUSED" and not answer.data, f"{name}: {answer}"
        refused(r, "www.unsigned.zz")
        refused(r, "to-unsigned.signed.zz")
        passes(r, "www.free.zz")


def test_harden_referral_path(place, tree):
    with Resolver(place, tree, POLICY, options="  harden-referral-path: yes\n") as r:
        for _ in range(2):
            refused(r, "www.unsigned.zz")
            refused(r, "unsigned.zz", "NS")
            refused(r, "ns.unsigned.zz")
            refused(r, "ns9.unsigned.zz")
            refused(r, "www.hosted.zz")
        assert "harden-referral-path is now no" in r.words()


def test_dns64_before_dynlib(place, tree):
    with Resolver(place, tree, POLICY, module="dns64 dynlib validator iterator", options="  dns64-prefix: 64:ff9b::/96\n") as r:
        for _ in range(3):
            answer = r.ask("www.unsigned.zz", "AAAA")
            assert answer.rcode == "SERVFAIL" and not answer.data, answer
            refused(r, "www.unsigned.zz", "A")
            assert r.ask("www.free.zz", "AAAA").data, "no synthesised answer for a free name"
            assert r.ask("www.signed.zz", "AAAA").data, "no synthesised answer for a signed name"


def test_dns64_after_dynlib_is_closed_too(place, tree):
    with Resolver(place, tree, POLICY, module="dynlib dns64 validator iterator", options="  dns64-prefix: 64:ff9b::/96\n") as r:
        assert "dns64 must stand before dynlib" in r.words(), r.words()
        for _ in range(3):
            assert not r.ask("www.unsigned.zz", "AAAA").data
            refused(r, "www.unsigned.zz", "A")


def test_recursion_not_desired(place, tree):
    """RD=0, and the client may snoop: never data that is refused."""
    with Resolver(place, tree, POLICY) as r:
        for name, rdtype in (("www.unsigned.zz", "A"), ("unsigned.zz", "NS"), ("to-unsigned.signed.zz", "A"), ("no.unsigned.zz", "A")):
            refused(r, name, rdtype)
            for cd in (False, True):
                answer = r.ask(name, rdtype, rd=False, cd=cd)
                assert not any("unsigned" in line.split()[0] for line in answer.records), f"{name} {rdtype} RD=0 CD={cd}: {answer}"
            refused(r, name, rdtype)


def test_recursion_not_desired_leaves_no_denial(place, tree):
    """A referral, which is all that such a client gets, is no answer: the next client gets the data."""
    with Resolver(place, tree, POLICY) as r:
        passes(r, "www.free.zz")
        passes(r, "www.signed.zz", want="secure")
        questions = (("six.free.zz", "AAAA", "passes"), ("six.signed.zz", "AAAA", "secure"), ("many.free.zz", "TXT", "passes"))
        for name, rdtype, want in questions:
            for _ in range(2):
                for cd in (False, True):
                    r.ask(name, rdtype, rd=False, cd=cd)
            passes(r, name, rdtype, want=want)
            r.ask(name, rdtype, rd=False)
            passes(r, name, rdtype, want=want)


def test_prefetch(place, tree):
    with Resolver(place, tree, POLICY, options="  prefetch: yes\n") as r:
        end = time.time() + 5
        while time.time() < end:
            refused(r, "short.unsigned.zz")
            passes(r, "short.free.zz")
            passes(r, "short.signed.zz", want="secure")
            time.sleep(0.2)


def test_yxdomain(place, tree):
    """A DNAME that makes the name too long (RFC 6672 2.2): cached while it was free, then required. Nobody gets it any more:
    not by a changed option, which is put right at that very question, and not as an expired answer."""
    label, short, rest = "x" * 63, "x" * 50, "d.free.zz"
    name = f"{label}.{label}.{label}.{short}.{rest}"  # 254 octets; below unsigned.zz, where d.free.zz leads, 256
    free, hard = POLICY, POLICY + "require dnssec of names in free.zz\n"
    for expired in ("no", "yes"):
        options = f"  serve-expired: {expired}\n  ignore-cd-flag: no\n"
        with Resolver(place, tree, free, name=expired, options=options, threads=1) as r:
            for _ in range(2):
                answer = r.ask(name)
                assert answer.rcode == "YXDOMAIN", answer
            r.change_policy(hard)
            for cd in (True, False, True):
                r.control("set_option", "ignore-cd-flag:", "no")
                answer = r.ask(name, cd=cd)
                assert answer.rcode == "SERVFAIL" and not answer.data, f"serve-expired {expired}, CD={cd}: {answer}"
                refused(r, name, cd=cd)
            r.change_policy(free)
            for _ in range(2):
                answer = r.ask(name)
                assert answer.rcode == "YXDOMAIN", answer


def test_views(place, tree):
    """What one view's rules change is for its clients, and excuses nothing for others, in whatever order they ask."""
    options = "  access-control-view: 127.0.0.2/32 changed\n  access-control-view: 127.0.0.3/32 other\n"
    options += "  serve-expired: yes\n  prefetch: yes\n"
    after = """view:
  name: changed
  view-first: yes
  local-data: "local.unsigned.zz A 203.0.113.200"
  response-ip: 203.0.113.77/32 redirect
  response-ip-data: 203.0.113.77/32 "A 203.0.113.99"
view:
  name: other
  view-first: yes
"""
    changed = (("rewritten.unsigned.zz", "203.0.113.99"), ("local.unsigned.zz", "203.0.113.200"))
    for first in ("127.0.0.2", "127.0.0.1"):
        with Resolver(place, tree, POLICY, name=first, module="dynlib respip validator iterator", options=options, after=after) as r:
            for source in (first, "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.1"):
                for how in ({}, {"cd": True}, {"tcp": True}):
                    for name, data in changed:
                        if source == "127.0.0.2":
                            answer = r.ask(name, source=source, **how)
                            assert data in str(answer.records) and not answer.ad, f"{name} for {source} {how}: {answer}"
                        else:
                            refused(r, name, source=source, **how)
                    refused(r, "www.unsigned.zz", source=source, **how)
                    refused(r, "short.unsigned.zz", source=source, **how)
                    passes(r, "www.free.zz", source=source, **how)
                    passes(r, "www.signed.zz", want="secure", source=source, **how)
                time.sleep(0.7)  # short has two seconds: it is prefetched, and expires


def expired(place, tree, options):
    """Past its TTL, with the servers dead: what was refused stays refused, what passed is served stale."""
    with Resolver(
        place, tree, POLICY, options="  serve-expired: yes\n  serve-expired-ttl: 3600\n  serve-expired-reply-ttl: 1\n" + options
    ) as r:
        for _ in range(2):
            refused(r, "short.unsigned.zz")
            refused(r, "to-unsigned.signed.zz")
            passes(r, "short.free.zz")
            passes(r, "short.signed.zz", want="secure")
        time.sleep(3)
        refused(r, "short.unsigned.zz")
        refused(r, "short.unsigned.zz", cd=True)
        tree.stop(trees.HOST)
        try:
            time.sleep(2.5)
            for cd in (False, True, False):
                try:
                    answer = r.ask("short.unsigned.zz", cd=cd, timeout=5)
                    assert answer.rcode == "SERVFAIL" and not answer.data, f"CD={cd}: {answer}"
                except dns.exception.Timeout:
                    pass  # the dead servers are still being tried: no answer is no leak
            answer = r.ask("short.free.zz", timeout=20)
            assert answer.rcode == "NOERROR" and answer.data, f"a free name is not served stale: {answer}"
        finally:
            tree.start(trees.HOST)
            time.sleep(0.5)


def test_serve_expired_at_once(place, tree):
    expired(place, tree, "  serve-expired-client-timeout: 0\n")


def test_serve_expired_after_client_timeout(place, tree):
    expired(place, tree, "  serve-expired-client-timeout: 1800\n  prefetch: yes\n")


def test_aggressive_nsec_still_works(place, tree):
    """A signed zone's denials are re-used: the module must feed the negative cache itself."""
    with Resolver(place, tree, POLICY, options="  aggressive-nsec: yes\n") as r:
        r.ask("aaaa.signed.zz")
        tree.stop(trees.HOST)
        try:
            answer = r.ask("aaab.signed.zz", timeout=3)
            assert answer.rcode == "NXDOMAIN" and answer.ad, answer
        finally:
            tree.start(trees.HOST)
            time.sleep(0.5)


def test_cd_honoured_by_setting(place, tree):
    policy = POLICY + "set resolver.cd honour\n"
    with Resolver(place, tree, policy) as r:
        for _ in range(3):
            answer = r.ask("www.unsigned.zz", cd=True)
            assert answer.rcode == "NOERROR" and answer.data, f"CD, honoured: {answer}"
            refused(r, "www.unsigned.zz")
            answer = r.ask("six.unsigned.zz", "AAAA", cd=True)
            assert answer.rcode == "NOERROR" and answer.data, f"CD AAAA, honoured: {answer}"
            refused(r, "six.unsigned.zz", "AAAA")
            answer = r.ask("www.expired.zz", cd=True)
            assert answer.rcode == "NOERROR" and answer.data, f"CD, bogus: {answer}"


def test_cd_is_ignored_whatever_is_configured(place, tree):
    with Resolver(place, tree, POLICY, options="  ignore-cd-flag: no\n") as r:
        for _ in range(2):
            refused(r, "www.unsigned.zz", cd=True)
            refused(r, "six.unsigned.zz", "AAAA", cd=True)
            answer = r.ask("www.expired.zz", cd=True)
            assert answer.rcode == "SERVFAIL", answer


def test_reload_and_flush(place, tree):
    with Resolver(place, tree, POLICY) as r:
        for command in (
            ("reload",),
            ("reload_keep_cache",),
            ("flush_zone", "zz"),
            ("flush_bogus",),
            ("flush_negative",),
            ("flush", "www.unsigned.zz"),
            ("flush_zone", "."),
            ("reload_keep_cache",),
        ):
            for name in ("www.unsigned.zz", "no.unsigned.zz", "to-unsigned.free.zz"):
                refused(r, name)
                refused(r, name)
            passes(r, "www.free.zz")
            passes(r, "www.signed.zz", want="secure")
            r.control(*command)
            r.wait_ready()
        refused(r, "www.unsigned.zz")
        assert r.stop() == 0, r.words()[-500:]


def test_loaded_cache_is_judged_after_keep_reload(place, tree):
    """A cache dumped from a resolver without the module, loaded into one with it: judged again after reload_keep_cache."""
    dump = os.path.join(place, "dump")
    with Resolver(place, tree, None, name="plain", with_module=False, port=5301) as plain:
        assert plain.ask("www.unsigned.zz").data
        with open(dump, "w", encoding="utf-8") as f:
            f.write(plain.control("dump_cache"))
    with Resolver(place, tree, POLICY) as r:
        from resolver import UNBOUND

        with open(dump, encoding="utf-8") as f:
            subprocess.run([f"{UNBOUND}/sbin/unbound-control", "-c", r.conf, "load_cache"], stdin=f, check=True, capture_output=True)
        r.control("reload_keep_cache")
        r.wait_ready()
        refused(r, "www.unsigned.zz")


def test_stub_and_forward_zones(place, tree):
    after = f"""
stub-zone:
  name: "stub.zz"
  stub-addr: {trees.STUB}
stub-zone:
  name: "two.zz"
  stub-addr: {trees.HOST}
"""
    policy = POLICY + "require dnssec of names in stub.zz\n"
    with Resolver(place, tree, policy, after=after) as r:
        for _ in range(3):
            refused(r, "www.stub.zz")
            refused(r, "no.stub.zz")
            passes(r, "www.two.zz", want="secure")
    with Resolver(place, tree, None, name="upstream", with_module=False, port=5302):
        after = f'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@5302\n'
        with Resolver(place, tree, POLICY, name="forwarder", after=after) as r:
            for _ in range(3):
                refused(r, "www.unsigned.zz")
                refused(r, "to-unsigned.free.zz")
                refused(r, "no.unsigned.zz", "AAAA")
                passes(r, "www.free.zz")
                passes(r, "www.signed.zz", want="secure")
        after = f'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@5302\n  forward-no-cache: yes\n'
        with Resolver(place, tree, POLICY, name="no-cache", after=after) as r:
            for _ in range(3):
                refused(r, "www.unsigned.zz")
                passes(r, "www.free.zz")


def test_local_data_is_left_alone(place, tree):
    options = '  local-zone: "local.unsigned.zz" static\n  local-data: "local.unsigned.zz A 203.0.113.200"\n'
    with Resolver(place, tree, POLICY, options=options) as r:
        for _ in range(2):
            passes(r, "local.unsigned.zz")
            refused(r, "www.unsigned.zz")
        assert r.wait_for(lambda: r.status()["answers"]["local"] >= 2, 8), r.status()
        assert r.wait_for(lambda: [x for x in r.records() if x["state"] == "local"], 8), r.records()


def rpz(place, zone):
    path = os.path.join(place, "rpz.zone")
    with open(path, "w", encoding="ascii") as f:
        f.write("$ORIGIN rpz.local.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns.rpz.local.\n" + zone)
    return f'rpz:\n  name: rpz.local\n  zonefile: "{path}"\n'


def test_rpz_is_left_alone(place, tree):
    """Rewritten by the operator's own will: passes, though nothing of it is signed, and is recorded as such."""
    after = rpz(place, "rewritten.unsigned.zz A 203.0.113.201\n32.77.113.0.203.rpz-ip A 203.0.113.202\nwww.two.zz CNAME .\n")
    with Resolver(place, tree, POLICY, module="dynlib respip validator iterator", after=after) as r:
        for _ in range(3):
            answer = r.ask("rewritten.unsigned.zz")
            assert "203.0.113.201" in str(answer.records), answer
            answer = r.ask("rewritten.signed.zz")
            assert "203.0.113.202" in str(answer.records), answer
            assert r.ask("www.two.zz").rcode == "NXDOMAIN"
            refused(r, "www.unsigned.zz")


def test_rpz_on_the_way_is_left_alone(place, tree):
    """Triggers met while resolving (a chain's target, a server's address): the same as without the module."""
    after = rpz(place, "www.sub.opt.zz A 203.0.113.203\n32.4.2.0.192.rpz-nsip CNAME *.\n")
    questions = ("www.sub.opt.zz", "six.sub.opt.zz", "x.wild.sub.opt.zz")
    module = "dynlib respip validator iterator"
    with Resolver(place, tree, None, name="plain", with_module=False, port=5304, module=module, after=after) as plain:
        want = [plain.ask(name) for name in questions]
    assert want[0].records[0].endswith("203.0.113.203") and not want[1].data, want
    with Resolver(place, tree, POLICY, module=module, after=after) as r:
        for _ in range(3):
            for name, answer in zip(questions, want):
                got = r.ask(name)
                assert (got.rcode, got.data) == (answer.rcode, answer.data), f"{name}: {got}, without the module {answer}"


def test_validator_and_iterator_lookups_pass(place, tree):
    """hosted.zz is free here, its server's name lies in unsigned.zz, where answers to clients are refused: it resolves."""
    policy = POLICY.replace("require dnssec of names in hosted.zz\n", "")
    with Resolver(place, tree, policy) as r:
        refused(r, "ns9.unsigned.zz")
        for _ in range(2):
            passes(r, "www.hosted.zz")
            refused(r, "ns9.unsigned.zz")


def race(place, tree, threads, options, module="dynlib validator iterator"):
    """Many clients at once on many unsigned names, on all threads: not one answer but SERVFAIL."""
    names = os.path.join(place, "names")
    with open(names, "w", encoding="ascii") as f:
        for i in range(3000):
            for _ in range(5):
                f.write(f"n{i}.wild.unsigned.zz A\n")
    with Resolver(place, tree, POLICY, threads=threads, module=module, options="  so-reuseport: yes\n" + options) as r:
        for _ in range(2):
            done = subprocess.run(
                ["dnsperf", "-s", "127.0.0.1", "-d", names, "-c", "20", "-q", "200", "-n", "2", "-t", "10"], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            codes = [line.strip() for line in done.stdout.splitlines() if "Response codes" in line]
            assert codes and "SERVFAIL" in codes[0] and "NOERROR" not in codes[0] and "NXDOMAIN" not in codes[0], codes
        assert r.stop() == 0, r.words()[-300:]


def test_race_two_threads(place, tree):
    race(place, tree, 2, "")


def test_race_four_threads_serve_expired(place, tree):
    race(place, tree, 4, "  serve-expired: yes\n  prefetch: yes\n")


def test_a_failure_is_remembered_for_five_seconds(place, tree):
    """With no_cache_store set, the iterator would forget it and ask the dead servers again for each client."""
    with Resolver(place, tree, POLICY) as r:
        first = time.time()
        assert r.ask("www.lame.zz", timeout=20).rcode == "SERVFAIL"
        took = time.time() - first
        before = int([line for line in r.control("stats_noreset").splitlines() if line.startswith("total.num.cachehits=")][0].split("=")[1])
        for _ in range(5):
            assert r.ask("www.lame.zz").rcode == "SERVFAIL"
        after = int([line for line in r.control("stats_noreset").splitlines() if line.startswith("total.num.cachehits=")][0].split("=")[1])
        assert after - before >= 4, f"{after - before} of 5 from the cache (first took {took:.2f}s)"
