# SPDX-License-Identifier: BSD-2-Clause
"""What an excuse excuses: the record sets it speaks of, and no others. Suspensions of validation (RFC 7646), exemptions,
and the operator's own rules (RPZ, response-ip, auth-zone), before, in and behind chains of aliases. Each asked twice, with
CD, and for other types; what was not validated is never given out."""
import os
import socket
import threading
import time

import dns.flags
import tree as trees
from answers_cases import POLICY, describe
from cache_cases import passes, refused, rpz
from policy_cases import FREE, HARD
from resolver import Resolver

TODAY = time.strftime("%Y-%m-%d")
BECAUSE = f'because "their signer broke" agreed by "us" through {TODAY}\n'
SUSPEND = f"suspend validation below expired.zz {BECAUSE}"
RESPIP = "dynlib respip validator iterator"
WAYS = ({}, {}, {"cd": True}, {"tcp": True, "do": True}, {})


def bogus(r, name, rdtype="A", **options):
    answer = r.ask(name, rdtype, **options)
    assert describe(answer) == "bogus", f"{name} {rdtype} {options}: {answer}"


def nothing(r, name, rdtype="A", **options):
    answer = r.ask(name, rdtype, **options)
    assert answer.rcode == "SERVFAIL" and not answer.data, f"{name} {rdtype} {options}: {answer}"


def suspended_chains(r):
    for how in WAYS:
        passes(r, "www.expired.zz", **how)
        passes(r, "www.expired.zz", "TXT", **how)
        passes(r, "alias.expired.zz", **how)
        for rdtype in ("A", "TXT", "AAAA", "MX"):
            for name in ("to-notyet.expired.zz", "www.dn.expired.zz", "x.starred.expired.zz", "to-stays.expired.zz"):
                bogus(r, name, rdtype, **how)
            for name in ("to-unsigned.expired.zz", "www.du.expired.zz"):
                refused(r, name, rdtype, **how)
        passes(r, "to-signed.expired.zz", **how)
        passes(r, "to-signed.expired.zz", "TXT", **how)
        passes(r, "to-signed.expired.zz", "AAAA", want="nodata-", **how)
        passes(r, "to-nowhere.expired.zz", want="nx-", **how)
        passes(r, "www.ds.expired.zz", **how)
        passes(r, "to-self.expired.zz", **how)
        passes(r, "to-free.expired.zz", **how)
        passes(r, "to-notyet.expired.zz", "CNAME", **how)
        passes(r, "expired.zz", "MX", **how)
        refused(r, "to-strict.expired.zz", **how)
        bogus(r, "via-expired.signed.zz", **how)
        bogus(r, "to-suspended.free.zz", **how)
        passes(r, "to-suspended2.free.zz", **how)
        nothing(r, "loop.expired.zz", **how)
        nothing(r, "round.expired.zz", **how)


def test_suspended_chains(place, tree):
    """As plain Unbound answers with domain-insecure on the first name, and by the policy on what comes behind."""
    policy = POLICY.replace("require dnssec of names in expired.zz\n", "").replace("require dnssec of names in notyet.zz\n", "") + SUSPEND
    for threads in (1, 2):
        with Resolver(place, tree, policy, name=f"t{threads}", threads=threads) as r:
            suspended_chains(r)


def test_suspended_chains_beside_domain_insecure(place, tree):
    """The same questions to plain Unbound with domain-insecure: the same answers, where the policy requires nothing."""
    names = "www alias to-notyet to-signed to-free to-self to-nowhere to-stays www.dn www.ds x.starred loop no x.wild".split()
    options = '  domain-insecure: "expired.zz"\n'
    with Resolver(place, tree, None, name="plain", with_module=False, port=5306, options=options) as plain:
        with Resolver(place, tree, FREE + SUSPEND) as r:
            for _ in range(2):
                for name in names:
                    for rdtype in ("A", "TXT", "AAAA", "CNAME") + (("ANY",) if name == "www" else ()):
                        want, got = plain.ask(f"{name}.expired.zz", rdtype), r.ask(f"{name}.expired.zz", rdtype)
                        if want.rcode == "SERVFAIL":
                            want.records = []
                        wanted, have = ((a.rcode, sorted(strip_ttl(a.records))) for a in (want, got))
                        assert have == wanted, f"{name} {rdtype}: {got}, without the module {want}"


def strip_ttl(records):
    return [" ".join(w for i, w in enumerate(line.split()) if i != 1) for line in records if " RRSIG " not in line and " NSEC " not in line]


def test_suspension_under_dns64(place, tree):
    with Resolver(place, tree, HARD + SUSPEND, module="dns64 dynlib validator iterator", options="  dns64-prefix: 64:ff9b::/96\n") as r:
        for _ in range(3):
            nothing(r, "to-notyet.expired.zz", "AAAA")
            nothing(r, "to-unsigned.expired.zz", "AAAA")
            assert r.ask("www.expired.zz", "AAAA").data and r.ask("to-signed.expired.zz", "AAAA").data


def test_suspension_with_cd_honoured(place, tree):
    """A client that validates for itself gets what there is; all others only what is excused."""
    with Resolver(place, tree, HARD + SUSPEND + "set resolver.cd honour\n", options="  ignore-cd-flag: no\n") as r:
        for _ in range(3):
            assert r.ask("to-notyet.expired.zz", cd=True).data
            bogus(r, "to-notyet.expired.zz")
            assert r.ask("to-unsigned.expired.zz", cd=True).data
            refused(r, "to-unsigned.expired.zz")
    with Resolver(place, tree, FREE + SUSPEND, name="free") as r:  # nothing to refuse: ignore-cd-flag is as configured
        for _ in range(3):
            assert r.ask("to-notyet.expired.zz", cd=True).data
            bogus(r, "to-notyet.expired.zz")


def test_suspension_excuses_bogus_only(place, tree):
    """Decision: what is unsigned and required below it stays refused, and `always` is not loosened."""
    policy = FREE + f"require dnssec of names in unsigned.zz\nsuspend validation below unsigned.zz {BECAUSE}"
    policy += f"always require dnssec of names in expired.zz\n{SUSPEND}"
    with Resolver(place, tree, policy) as r:
        for how in WAYS:
            refused(r, "www.unsigned.zz", **how)
            refused(r, "no.unsigned.zz", **how)
            bogus(r, "www.expired.zz", **how)
        r.change_policy(policy.replace("always ", ""))
        for how in WAYS:
            passes(r, "www.expired.zz", **how)
        r.change_policy(policy.replace("set mode enforce", "set mode dry-run"))
        for how in WAYS:
            passes(r, "www.expired.zz", **how)
            passes(r, "www.unsigned.zz", **how)


def test_suspension_tells_the_client(place, tree):
    """Extended DNS Error 33 (negative trust anchor), from the first answer and from the cache; and on nothing else."""
    with Resolver(place, tree, FREE + SUSPEND, threads=1) as r:
        for _ in range(4):
            for name in ("www.expired.zz", "to-expired.signed.zz", "to-signed.expired.zz", "no.expired.zz"):
                answer = r.ask(name)
                text = [text for code, text in answer.ede if code == 33]
                assert len(text) == 1 and "suspend validation below expired.zz" in text[0] and "signer broke" in text[0], answer
            for name in ("www.signed.zz", "www.free.zz", "www.notyet.zz"):
                assert 33 not in [code for code, _ in r.ask(name).ede]
            assert not r.ask("www.expired.zz", edns=False).ede


def test_parent_denial_is_not_excused(place, tree):
    """The denial of a suspended name by a broken parent is the parent's record set (as domain-insecure has it)."""
    policy = FREE + f"suspend validation below no.notyet.zz {BECAUSE}"
    with Resolver(place, tree, policy) as r:
        for how in ({}, {}, {"tcp": True, "do": True}):
            bogus(r, "no.notyet.zz", **how)
            bogus(r, "www.notyet.zz", **how)


def test_exempt_target_of_a_strict_chain(place, tree):
    policy = FREE + "require dnssec of names in strict.zz strictly\n"
    exempt = 'exempt free.zz from dnssec because "they sign soon" agreed by "us" through 2027-03-31\n'
    with Resolver(place, tree, policy) as r:
        refused(r, "to-free.strict.zz")
        r.change_policy(policy + exempt)
        for how in WAYS:
            passes(r, "to-free.strict.zz", **how)
            passes(r, "to-nothing.strict.zz", want="nx-", **how)
        r.change_policy(policy.replace("require", "always require") + exempt)
        for how in WAYS:
            refused(r, "to-free.strict.zz", **how)


def test_alias_into_a_loop(place, tree):
    """SERVFAIL, with nothing in it. Where the target's failure is known already, Unbound's message contains the aliases
    that led there: then the policy's text names the required one."""
    loops = (("loop.free.zz", "into-loop.unsigned.zz"), ("self.free.zz", "into-self.unsigned.zz"))
    for first in (False, True):
        with Resolver(place, tree, HARD, name=f"first{first}") as r:
            for target, alias in loops:
                for _ in range(2):
                    if first:
                        nothing(r, target)
                for how in WAYS:
                    answer = r.ask(alias, **how)
                    assert answer.rcode == "SERVFAIL" and not answer.message.answer and not answer.message.authority, answer
                    if first:
                        assert [text for code, text in answer.ede if code == 15 and f"{alias} leads to no answer" in text], answer


def test_additional_section(place, tree):
    """With minimal-responses: no, an MX or SRV must not bring the unsigned address of a required name."""
    for clean in ("yes", "no"):
        options = f"  minimal-responses: no\n  val-clean-additional: {clean}\n"
        with Resolver(place, tree, HARD, name=clean, options=options) as r:
            for how in WAYS + ({"rd": False},):
                for name, rdtype in (("signed.zz", "MX"), ("_sip._tcp.signed.zz", "SRV"), ("www.free.zz", "A"), ("free.zz", "NS")):
                    answer = r.ask(name, rdtype, **how)
                    text = "\n".join(s.to_text() for s in answer.message.additional + answer.message.authority)
                    assert "unsigned.zz. 3" not in text.replace("mail.", "") or " A 203.0.113.88" not in text, answer.message
                    assert "203.0.113.88" not in text, f"{name} {rdtype} {how}: {answer.message}"
                refused(r, "mail.unsigned.zz", **{k: v for k, v in how.items() if k != "rd"})


def test_rpz_that_changes_nothing_excuses_nothing(place, tree):
    zones = (
        "32.77.113.0.203.rpz-ip CNAME rpz-passthru.\n",
        "rewritten.unsigned.zz CNAME rpz-passthru.\n",
        "32.77.113.0.203.rpz-ip CNAME rpz-tcp-only.\n",
        "32.3.2.0.192.rpz-nsip CNAME rpz-passthru.\n",
    )
    for number, zone in enumerate(zones):
        with Resolver(place, tree, HARD, name=f"z{number}", module=RESPIP, after=rpz(place, zone)) as r:
            for how in ({"tcp": True}, {"tcp": True}, {"tcp": True, "cd": True}):
                refused(r, "rewritten.unsigned.zz", **how)
    for override in ("passthru", "disabled"):
        after = rpz(place, "32.77.113.0.203.rpz-ip A 203.0.113.202\nwww.unsigned.zz A 203.0.113.203\n")
        after += f"  rpz-action-override: {override}\n"
        with Resolver(place, tree, HARD, name=override, module=RESPIP, after=after) as r:
            for how in WAYS:
                refused(r, "rewritten.unsigned.zz", **how)
                refused(r, "www.unsigned.zz", **how)


def test_rpz_excuses_what_it_changed(place, tree):
    """An unsigned required alias that leads to a rewritten name is judged; the rewritten name itself passes."""
    after = rpz(place, "32.77.113.0.203.rpz-ip A 203.0.113.202\n")
    with Resolver(place, tree, HARD, module=RESPIP, after=after) as r:
        for how in WAYS:
            refused(r, "to-rewritten.unsigned.zz", **how)
            refused(r, "to-required.free.zz", **how)
            answer = r.ask("rewritten.unsigned.zz", **how)
            assert "203.0.113.202" in str(answer.records), answer
            assert not answer.ad


def test_rpz_that_changes_meanwhile(place, tree):
    """What is refused, and known to be by heart, is changed by a rule that comes later, and refused again when it goes."""
    rule = "32.77.113.0.203.rpz-ip A 203.0.113.202\n"
    with Resolver(place, tree, HARD, module=RESPIP, after=rpz(place, ""), threads=1) as r:
        for zone in ("", rule, "", rule):
            rpz(place, zone)
            r.control("auth_zone_reload", "rpz.local")
            for how in WAYS:
                if zone:
                    assert "203.0.113.202" in str(r.ask("rewritten.unsigned.zz", **how).records), how
                else:
                    refused(r, "rewritten.unsigned.zz", **how)


def test_rpz_alias_to_a_required_name(place, tree):
    """The rule's alias is excused; what it leads to is not what the rule made."""
    zone = "www.free.zz CNAME www.unsigned.zz.\n32.77.113.0.203.rpz-ip CNAME www.unsigned.zz.\nsix.free.zz CNAME www.signed.zz.\n"
    after = rpz(place, zone)
    with Resolver(place, tree, HARD, module=RESPIP, after=after) as r:
        for how in WAYS:
            nothing(r, "www.free.zz", **how)
            nothing(r, "rewritten.signed.zz", **how)
            assert r.ask("six.free.zz", **how).data


ACTIONS = {
    "redirect": ("203.0.113.99", "NOERROR"),
    "always_nxdomain": (None, "NXDOMAIN"),
    "always_refuse": (None, "REFUSED"),
    "inform": ("203.0.113.77", "NOERROR"),
    "always_transparent": ("203.0.113.77", "NOERROR"),
}


def response_ip(action):
    options = f"  response-ip: 203.0.113.77/32 {action}\n"
    return options + ('  response-ip-data: 203.0.113.77/32 "A 203.0.113.99"\n' if "redirect" in action else "")


def test_response_ip(place, tree):
    """Without the module and with it the same answers (and times to live) for what is free; what is required passes only
    where it was changed."""
    for action, (data, rcode) in ACTIONS.items():
        options = response_ip(action)
        with Resolver(place, tree, None, name=f"p-{action}", with_module=False, port=5305, module=RESPIP, options=options) as plain:
            with Resolver(place, tree, HARD, name=action, module=RESPIP, options=options) as r:
                for how in WAYS:
                    for name in ("rewritten.signed.zz",):
                        want, got = plain.ask(name, **how), r.ask(name, **how)
                        have, wanted = ((a.rcode, len(a.message.answer)) for a in (got, want))
                        assert have == wanted, f"{action}: {got}, plain {want}"
                        assert all(s.ttl <= 3600 for s in got.message.answer), f"{action}: {got.message}"
                    if action in ("inform", "always_transparent"):
                        refused(r, "rewritten.unsigned.zz", **how)
                    else:
                        got = r.ask("rewritten.unsigned.zz", **how)
                        assert got.rcode == rcode and (not data or data in str(got.records)), f"{action}: {got}"
                        assert data or not got.message.answer, f"{action}: {got}"
                    got = r.ask("to-rewritten.unsigned.zz", **how)
                    assert got.rcode in ("SERVFAIL", "REFUSED") and not got.message.answer, f"{action}: {got}"


def test_response_ip_alias_to_a_required_name(place, tree):
    """The alias is the operator's, what it leads to is judged; where it is refused, the client is told why."""
    options = '  response-ip: 203.0.113.14/32 redirect\n  response-ip-data: 203.0.113.14/32 "CNAME mail.unsigned.zz."\n'
    with Resolver(place, tree, HARD, module=RESPIP, options=options) as r:
        for how in WAYS:
            got = r.ask("www.two.zz", **how)
            assert got.rcode == "SERVFAIL" and not got.message.answer, got
            assert got.ede and got.ede[0][0] == 15 and "mail.unsigned.zz is not signed" in got.ede[0][1], got


def sent(r):
    """Questions that went out (verbosity 4)."""
    with open(r.log, encoding="utf-8", errors="replace") as f:
        return sum(1 for line in f if "sending to target" in line)


def asked(r, names, count=10):
    before = sent(r)
    for _ in range(count):
        for name in names:
            r.ask(name)
    return sent(r) - before


def test_changed_answers_are_kept_behind(place, tree):
    """What the rule changes is asked for once, not at each question."""
    policy = HARD
    for name, options, after, questions in (
        ("respip", response_ip("redirect"), "", ("rewritten.signed.zz", "rewritten.unsigned.zz", "to-rewritten.unsigned.zz")),
        ("rpz", "", rpz(place, "32.77.113.0.203.rpz-ip A 203.0.113.202\n"), ("rewritten.signed.zz", "rewritten.unsigned.zz")),
    ):
        with Resolver(place, tree, policy, name=name, module=RESPIP, options=options + "  verbosity: 4\n", after=after, threads=1) as r:
            for question in questions:
                r.ask(question)
            out = asked(r, questions)
            assert out <= 2, f"{name}: {out} questions went out for what is known"


AUTH = """auth-zone:
  name: "auth.zz"
  zonefile: "{path}"
  for-downstream: {down}
  for-upstream: {up}
"""


def auth_zone(place, down, up):
    path = os.path.join(place, "auth.zone")
    with open(path, "w", encoding="ascii") as f:
        f.write("$ORIGIN auth.zz.\n$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.3\nwww A 203.0.113.180\n")
    return AUTH.format(path=path, down=down, up=up)


def test_auth_zone(place, tree):
    """For upstream: judged like any other answer. For downstream only: local data, passes and is recorded as local."""
    policy = HARD + "require dnssec of names in auth.zz\n"
    with Resolver(place, tree, policy, name="up", after=auth_zone(place, "no", "yes"), options="  verbosity: 4\n", threads=1) as r:
        for how in WAYS:
            refused(r, "www.auth.zz", **how)
            refused(r, "to-auth.unsigned.zz", **how)
            refused(r, "to-auth.signed.zz", **how)
        r.change_policy(HARD)
        for how in WAYS:
            passes(r, "www.auth.zz", **how)
            refused(r, "to-auth.unsigned.zz", **how)
            passes(r, "to-auth.signed.zz", **how)
        out = asked(r, ("to-auth.unsigned.zz", "to-auth.signed.zz"))
        assert out <= 2, f"{out} questions went out for what is known"
    with Resolver(place, tree, policy, name="down", after=auth_zone(place, "yes", "no")) as r:
        for how in WAYS:
            passes(r, "www.auth.zz", **how)
        assert r.wait_for(lambda: r.status().get("answers", {}).get("local", 0) >= 1, 8), r.status()


def test_the_primary_of_an_auth_zone(place, tree):
    """Unbound's own look-up of the primary's name is not refused, and gives a client nothing."""
    after = 'auth-zone:\n  name: "free.zz"\n  primary: primary.unsigned.zz\n  zonefile: ""\n  for-downstream: no\n  for-upstream: yes\n'
    with Resolver(place, tree, HARD, after=after) as r:
        listed = r.wait_for(lambda: "\tserial " in r.control("list_auth_zones"), 15)
        assert listed, r.control("list_auth_zones") + r.words()[-500:]
        for how in WAYS:
            refused(r, "primary.unsigned.zz", **how)
            passes(r, "www.free.zz", **how)
        for how in WAYS:
            refused(r, "primary.unsigned.zz", **how)


def test_a_primary_that_clients_were_refused(place, tree):
    """A refusal that is known by heart is the clients': the transfer that begins afterwards finds its primary."""
    after = 'auth-zone:\n  name: "free.zz"\n  primary: primary.unsigned.zz\n  zonefile: ""\n  for-downstream: no\n  for-upstream: yes\n'
    tree.stop(trees.HOST)
    try:
        with Resolver(place, tree, HARD, after=after, threads=1) as r:
            assert "\tserial " not in r.control("list_auth_zones")
            tree.start(trees.HOST)
            assert r.wait_for(lambda: describe(r.ask("primary.unsigned.zz")) == "refused", 20)
            for _ in range(6):
                refused(r, "primary.unsigned.zz")
            r.control("auth_zone_transfer", "free.zz")
            assert r.wait_for(lambda: "\tserial " in r.control("list_auth_zones"), 20), r.words()[-500:]
            refused(r, "primary.unsigned.zz")
    finally:
        if not any(address == trees.HOST for address, _ in tree.servers):
            tree.start(trees.HOST)


def test_the_primary_of_an_rpz(place, tree):
    """The same of an RPZ's: it is transferred, and its primary's name stays refused to clients."""
    after = 'rpz:\n  name: "free.zz"\n  primary: primary.unsigned.zz\n  zonefile: ""\n'
    with Resolver(place, tree, HARD, module=RESPIP, after=after) as r:
        listed = r.wait_for(lambda: "\tserial " in r.control("list_auth_zones"), 15)
        assert listed, r.control("list_auth_zones") + r.words()[-500:]
        for how in WAYS + WAYS:
            refused(r, "primary.unsigned.zz", **how)


def test_empty_denials_are_judged_again(place, tree):
    """An answer without any record set, cached before a policy change."""
    after = rpz(place, "www.sub.opt.zz CNAME *.\n")
    with Resolver(place, tree, FREE, module=RESPIP, after=after) as r:
        r.ask("no.free.zz")
        r.change_policy(FREE + "require dnssec of names in free.zz\n")
        refused(r, "no.free.zz")


def test_wrong_orders_do_not_start(place, tree):
    for module in ("dynlib iterator", "validator dynlib iterator"):
        r = Resolver(place, tree, HARD, name=module[:6], module=module)
        try:
            r.start()
            r.stop()
            raise AssertionError(f"{module}: it starts")
        except RuntimeError:
            pass
        assert "nothing is validated before this module sees it" in r.words(), r.words()


def test_forced_options(place, tree):
    """A forced option keeps its forced value while it is forced, and gets its own value back afterwards."""
    options = "  ignore-cd-flag: no\n  harden-referral-path: yes\n"

    def get(r, name):
        return r.control("get_option", name).strip()

    with Resolver(place, tree, HARD, options=options, threads=1) as r:
        assert get(r, "ignore-cd-flag") == "yes" and get(r, "harden-referral-path") == "no"
        refused(r, "www.unsigned.zz")
        for _ in range(3):
            r.control("set_option", "ignore-cd-flag:", "no")
            r.control("set_option", "harden-referral-path:", "yes")
            refused(r, "zero.unsigned.zz", cd=True)
            refused(r, "www.unsigned.zz", cd=True)
            assert r.wait_for(lambda: get(r, "ignore-cd-flag") == "yes" and get(r, "harden-referral-path") == "no", 1)
        said = r.words().count("ignore-cd-flag is now yes")
        assert said == 2, f"said {said} times"
        r.change_policy(FREE)
        assert get(r, "ignore-cd-flag") == "no" and get(r, "harden-referral-path") == "yes"
        r.control("set_option", "ignore-cd-flag:", "yes")
        r.change_policy(HARD)
        r.change_policy(FREE)
        assert get(r, "ignore-cd-flag") == "yes"


def test_no_answer_goes_by_a_changed_option(place, tree):
    """Unbound answers from its cache without asking a module, and tells nobody of set_option. The first such answer after
    it is kept from the client: by UDP and TCP, with and without EDNS, for records, denials, aliases and bogus answers, of
    every thread. A truncated reply has the question and no record; by TCP, which it asks for, the answer is a refusal."""
    names = ("www.unsigned.zz", "mail.unsigned.zz", "nowhere.unsigned.zz", "alias.unsigned.zz", "to-unsigned.signed.zz")
    ways = ({}, {"edns": False}, {"do": True}, {"tcp": True}, {"tcp": True, "do": True})
    for threads in (1, 4):
        with Resolver(place, tree, HARD, name=f"threads{threads}", threads=threads, options="  prefetch: yes\n") as r:
            questions = [(n, t) for n in names + ("www.expired.zz",) for t in ("A", "TXT")]
            for question in questions * 2:
                r.ask(*question)
            truncated = 0
            for way in ways * 4:
                for name, rdtype in questions:
                    r.control("set_option", "ignore-cd-flag:", "no")
                    for _ in range(threads + 1):
                        got = r.ask(name, rdtype, cd=True, **way)
                        sections = got.message.answer + got.message.authority + got.message.additional
                        assert not sections, f"{name} {rdtype} {way}: {got.message}"
                        assert [q.name.to_text() for q in got.message.question] == [name + "."], got.message
                        cut = bool(got.message.flags & dns.flags.TC)
                        truncated += cut
                        assert cut or got.rcode == "SERVFAIL", f"{name} {rdtype} {way}: {got.message}"
                refused(r, "www.unsigned.zz", cd=True, tcp=True)
                passes(r, "www.signed.zz", cd=True, want="secure")
            assert truncated, "no answer from the cache was ever on its way"
            assert "out of memory" not in r.words(), r.words()


def test_ignore_cd_flag_switched_off_without_end(place, tree):
    """The option is switched off all the time, on another thread, while clients with CD ask: for what is cached and what is
    not. Not one gets an unsigned required or a broken record."""
    with Resolver(place, tree, HARD, threads=2) as r:
        done = threading.Event()

        def change():
            while not done.is_set():
                with socket.socket(socket.AF_UNIX) as control:
                    control.connect(f"{r.folder}/control")
                    control.sendall(b"UBCT1 set_option ignore-cd-flag: no\n")
                    control.recv(100)

        changer = threading.Thread(target=change)
        changer.start()
        try:
            end, cut = time.time() + 6, 0
            while time.time() < end:
                for name in ("www.unsigned.zz", "zero.unsigned.zz", "www.expired.zz", f"n{time.time_ns()}.unsigned.zz"):
                    got = r.ask(name, cd=True)
                    assert not got.data and not got.message.authority, got.message
                    cut += bool(got.message.flags & dns.flags.TC)
        finally:
            done.set()
            changer.join()
        assert cut, "the option was never seen changed"


def test_every_type_behind_every_link(place, tree):
    """Each kind of link before each kind of name, for many types, in turns and again: one verdict each time, and no record
    of a required or broken name in any of the answers."""
    policy = HARD + SUSPEND + "require dnssec of names in strict.zz strictly\n"
    links = ("to-unsigned.signed", "to-unsigned.free", "to-expired.signed", "to-notyet.expired", "to-unsigned.expired")
    links += ("to-strict.expired", "www.du.expired", "www.dn.expired", "via-expired.signed", "to-suspended.free")
    links += ("to-free.strict", "www.du.signed", "alias.unsigned")
    types = ("A", "AAAA", "TXT", "MX", "SRV", "HTTPS", "TLSA", "CAA", "NS", "SOA", "DS", "PTR", "TYPE65280")
    with Resolver(place, tree, policy, threads=2, options="  minimal-responses: no\n  prefetch: yes\n") as r:
        verdicts = {}
        for how in WAYS + ({"rd": False}, {}):
            for link in links:
                for rdtype in types:
                    answer = r.ask(f"{link}.zz", rdtype, **how)
                    sections = answer.message.answer + answer.message.authority + answer.message.additional
                    for record in sections if how.get("rd", True) else answer.message.answer:
                        owner = record.name.to_text()
                        # What is signed passes: the delegation's own DS denial, and record sets of the parents.
                        assert not owner.endswith((".unsigned.zz.", "notyet.zz.")), f"{link} {rdtype} {how}: {answer.message}"
                    if how.get("rd", True):
                        verdict = verdicts.setdefault((link, rdtype), describe(answer))
                        assert describe(answer) == verdict, f"{link} {rdtype} {how}: {answer}, before {verdict}"
