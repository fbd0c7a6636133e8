# SPDX-License-Identifier: BSD-2-Clause
"""Every kind of answer under one policy, each asked twice, then with CD, then once more: the same verdict each time."""
from resolver import Resolver

POLICY = """policy "resolver tests" owner "postmaster@signed.zz"
set mode enforce
set journal.dir JOURNAL
set resolver.record-every 1s
follow  dnssec of every name
require dnssec of names in signed.zz
require dnssec of names in two.zz
require dnssec of names in unsigned.zz   because "the contract says so"
require dnssec of names in hosted.zz
require dnssec of names in opt.zz
require dnssec of names in strict.zz strictly
require dnssec of names in expired.zz
require dnssec of names in notyet.zz
require dnssec of names in wrongds.zz
require dnssec of names in nosig.zz
require dnssec of names in nonsec.zz
require dnssec of names in algorithm.zz
require dnssec of names in iterations.zz
require dnssec of names in lame.zz
require dnssec of names in excused.zz
require dnssec of names in ended.zz
exempt  excused.zz from dnssec because "they sign next year" agreed by "security officer" through 2027-06-30
exempt  ended.zz   from dnssec because "they would have signed" agreed by "security officer" through 2026-01-31
record  dnssec of names in noted.zz
ignore  dnssec of names in ignored.zz
"""

# What may come back:
#   secure   NOERROR with data and AD       passes   NOERROR with data, no AD
#   nodata+  NOERROR, none, AD              nodata-  the same without AD
#   nx+      NXDOMAIN, AD                   nx-      the same without AD
#   refused  SERVFAIL, nothing in it, Extended DNS Error 15 that names statement and owner
#   bogus    SERVFAIL, nothing in it, no error of ours
TABLE = """
www.signed.zz A secure
www.signed.zz TXT secure
www.signed.zz AAAA nodata+
no.signed.zz A nx+
x.wild.signed.zz A secure
alias.signed.zz A secure
zero.signed.zz A secure
www.signed.zz ANY secure
www.signed.zz RRSIG passes
signed.zz DNSKEY secure
signed.zz NS secure
signed.zz SOA secure
signed.zz DS secure
to-two.signed.zz A secure
www.d.signed.zz A secure
x.wild.d.signed.zz A secure
d.signed.zz DNAME secure
to-free.signed.zz A passes
to-free.signed.zz AAAA nodata-
to-unsigned.signed.zz A refused www.unsigned.zz
to-unsigned.signed.zz CNAME secure
to-nowhere.signed.zz A refused nowhere.unsigned.zz
www.du.signed.zz A refused www.unsigned.zz
no.du.signed.zz A refused no.unsigned.zz
to-expired.signed.zz A bogus
www.two.zz A secure
no.two.zz A nx+
www.two.zz AAAA nodata+
x.wild.two.zz A secure
b.c.deep.two.zz A nodata+
www.unsigned.zz A refused www.unsigned.zz
www.unsigned.zz AAAA refused www.unsigned.zz
www.unsigned.zz ANY refused www.unsigned.zz
www.unsigned.zz TXT refused www.unsigned.zz
www.unsigned.zz RRSIG refused www.unsigned.zz
no.unsigned.zz A refused no.unsigned.zz
x.wild.unsigned.zz A refused x.wild.unsigned.zz
alias.unsigned.zz A refused alias.unsigned.zz
alias.unsigned.zz CNAME refused alias.unsigned.zz
to-signed.unsigned.zz A refused to-signed.unsigned.zz
www.d.unsigned.zz A refused d.unsigned.zz
zero.unsigned.zz A refused zero.unsigned.zz
unsigned.zz NS refused unsigned.zz
unsigned.zz SOA refused unsigned.zz
unsigned.zz DNSKEY refused unsigned.zz
unsigned.zz DS nodata+
a.b.c.deep.unsigned.zz A refused a.b.c.deep.unsigned.zz
c.deep.unsigned.zz A refused c.deep.unsigned.zz
many.unsigned.zz TXT refused many.unsigned.zz
www.hosted.zz A refused www.hosted.zz
www.free.zz A passes
no.free.zz A nx-
www.free.zz AAAA nodata-
to-unsigned.free.zz A refused www.unsigned.zz
to-signed.free.zz A passes
www.d.free.zz A refused www.unsigned.zz
www.d2.free.zz A passes
www.opt.zz A secure
no.opt.zz A nx-
www.opt.zz AAAA nodata+
sub.opt.zz DS nodata+
www.sub.opt.zz A refused www.sub.opt.zz
no.sub.opt.zz A refused no.sub.opt.zz
x.wild.opt.zz A passes
www.strict.zz A secure
to-two.strict.zz A secure
to-free.strict.zz A refused www.free.zz
to-nothing.strict.zz A refused nothing.free.zz
www.expired.zz A bogus
www.notyet.zz A bogus
www.wrongds.zz A bogus
www.nosig.zz A bogus
www.nosig.zz TXT secure
no.nonsec.zz A bogus
www.nonsec.zz AAAA bogus
www.nonsec.zz A secure
www.algorithm.zz A refused www.algorithm.zz
www.iterations.zz A secure
no.iterations.zz A refused no.iterations.zz
www.iterations.zz AAAA refused www.iterations.zz
www.lame.zz A bogus
www.excused.zz A passes
no.excused.zz A nx-
www.ended.zz A refused www.ended.zz
www.noted.zz A passes
www.ignored.zz A passes
WwW.UnSigned.zZ A refused www.unsigned.zz
odd\\010name.unsigned.zz A refused odd\\010name.unsigned.zz
"""


def describe(answer):
    """The word of TABLE for an answer."""
    ours = [text for code, text in answer.ede if code == 15]
    if answer.rcode == "SERVFAIL":
        if answer.data:
            return "SERVFAIL with data"
        return "refused" if ours else "bogus"
    if ours:
        return f"{answer.rcode} with our error"
    if answer.rcode == "NXDOMAIN":
        return "nx+" if answer.ad else "nx-"
    if answer.rcode != "NOERROR":
        return answer.rcode
    kind = answer.message.question[0].rdtype
    data = any(rrset.rdtype == kind or kind == 255 for rrset in answer.message.answer)
    if not data:
        return "nodata+" if answer.ad else "nodata-"
    return "secure" if answer.ad else "passes"


def lines(table):
    for line in table.strip().splitlines():
        words = line.split()
        if words:
            yield words[0], words[1], words[2], words[3] if len(words) > 3 else None


def check(resolver, name, rdtype, want, owner, wrong, how, **options):
    answer = resolver.ask(name, rdtype, **options)
    got = describe(answer)
    if got == want and want == "refused":
        text = [text for code, text in answer.ede if code == 15][0]
        if f"{owner} " not in text or "policy L" not in text or "dnssec of names in" not in text:
            got = f"refused with the words {text!r}"
    if got != want:
        wrong.append(f"{name} {rdtype} {how}: {got}, not {want}{f' {owner}' if owner else ''}   {answer}")


def play(resolver, table):
    wrong, count = [], 0
    for name, rdtype, want, owner in lines(table):
        count += 1
        check(resolver, name, rdtype, want, owner, wrong, "first")
        check(resolver, name, rdtype, want, owner, wrong, "second")
        check(resolver, name, rdtype, want, owner, wrong, "with CD", cd=True)
        check(resolver, name, rdtype, want, owner, wrong, "after CD")
        check(resolver, name, rdtype, want, owner, wrong, "with DO over TCP", do=True, tcp=True)
    assert not wrong, f"{len(wrong)} of {count * 5} answers are not as the policy says:\n        " + "\n        ".join(wrong[:40])


def every_kind(place, tree, **options):
    with Resolver(place, tree, POLICY, **options) as r:
        play(r, TABLE)


def test_every_kind_two_threads(place, tree):
    every_kind(place, tree, threads=2)


def test_every_kind_four_threads(place, tree):
    every_kind(place, tree, threads=4)


def test_every_kind_without_minimisation(place, tree):
    every_kind(place, tree, options="  qname-minimisation: no")


def test_every_kind_strict_minimisation_0x20_prefetch(place, tree):
    every_kind(place, tree, options="  qname-minimisation-strict: yes\n  use-caps-for-id: yes\n  prefetch: yes\n  prefetch-key: yes")


def test_every_kind_serve_expired(place, tree):
    every_kind(place, tree, options="  serve-expired: yes\n  serve-expired-client-timeout: 1800")


def test_every_kind_ede_and_log(place, tree):
    every_kind(place, tree, options="  ede: yes\n  val-log-level: 2\n  log-servfail: yes")


def test_every_kind_one_thread_cd_first(place, tree):
    """The reverse order: CD first, then AAAA (which has a cache slot of its own with CD), then plain."""
    wrong = []
    with Resolver(place, tree, POLICY, threads=1) as r:
        for name, rdtype, want, owner in lines(TABLE):
            for how, options in (("CD first", {"cd": True}), ("CD again", {"cd": True}), ("then plain", {})):
                check(r, name, rdtype, want, owner, wrong, how, **options)
    assert not wrong, "\n        ".join(wrong[:40])


def test_client_without_edns_gets_plain_servfail(place, tree):
    with Resolver(place, tree, POLICY) as r:
        for _ in range(2):
            answer = r.ask("www.unsigned.zz", edns=False)
            assert answer.rcode == "SERVFAIL" and not answer.data and not answer.ede, answer


def test_because_is_in_the_error(place, tree):
    with Resolver(place, tree, POLICY) as r:
        answer = r.ask("www.unsigned.zz")
        assert "the contract says so" in answer.ede[0][1], answer
        assert len(answer.ede[0][1]) < 225, answer


def test_dry_run_and_trial_refuse_nothing(place, tree):
    for policy in (POLICY.replace("set mode enforce", "set mode dry-run"), POLICY.replace("require dnssec", "trial require dnssec")):
        with Resolver(place, tree, policy) as r:
            for _ in range(2):
                answer = r.ask("www.unsigned.zz")
                assert describe(answer) == "passes", answer
            r.wait_for(lambda: r.status().get("answers", {}).get("would_refuse"), 8)
            assert r.status()["answers"]["would_refuse"] >= 1 and r.status()["answers"]["refused"] == 0, r.status()["answers"]
        import shutil

        shutil.rmtree(r.folder)
