# SPDX-License-Identifier: BSD-2-Clause
"""Where the policy does not refuse, a resolver with the module answers as one without: the same sections, flags and
codes, for every name of the tree and
for random ones, in the same order, twice."""
import random

import dns.flags
import dns.name
import dns.rdatatype
import tree as trees
from answers_cases import POLICY, TABLE, lines
from resolver import Resolver

OPTIONS = "  rrset-roundrobin: no\n  minimal-responses: no\n  ignore-cd-flag: {cd}\n  ede: {ede}\n"
RECORD = 'policy "records" owner "x@signed.zz"\nset mode enforce\nset journal.dir JOURNAL\nrecord dnssec of every name\n'


def names():
    for name, rdtype, _, _ in lines(TABLE):
        yield name, rdtype
    chance = random.Random(20261121)
    zones = [z for z in trees.ZONES if z not in (".", "arpa") and trees.ZONES[z][0] != "dead" and trees.ZONES[z][1] != trees.NETWORKS]
    for _ in range(300):
        zone = chance.choice(zones)
        first = chance.choice(
            ["www", "six", "alias", "no" + str(chance.randrange(50)), "x.wild", "b.c.deep", "d", "www.d", "zero", "many", "ns", "@"]
        )
        name = zone if first == "@" else f"{first}.{zone}"
        yield name, chance.choice(
            ["A", "A", "A", "AAAA", "MX", "TXT", "NS", "SOA", "DS", "DNSKEY", "ANY", "CNAME", "NSEC", "RRSIG", "HTTPS"]
        )


REQUIRED = [dns.name.from_text(line.split()[5]) for line in POLICY.splitlines() if line.startswith("require ")]


def required(name):
    return any(name.is_subdomain(zone) for zone in REQUIRED)


def beside_signatures(message, section, rrset):
    """Whether this record set is left out beside an answer of signatures: these are signed by nobody, so that no validator
    looks at such a message, and what stands beside them of a required name nobody has validated. A newer Unbound gives
    the name servers and their addresses beside such an answer; Debian's 1.17.1 takes them away by itself."""
    if message.question[0].rdtype != dns.rdatatype.RRSIG or not message.answer or not required(rrset.name):
        return False
    return section is message.additional or (section is message.authority and dns.rdatatype.NS in (rrset.rdtype, rrset.covers))


def shape(answer, left_out=lambda message, section, rrset: False):
    """All of a message but its id and TTLs."""
    m = answer.message
    sections = []
    for section in (m.answer, m.authority, m.additional):
        given = [r for r in section if not left_out(m, section, r)]
        sections.append([f"{r.name} {r.rdclass} {r.rdtype} {r.covers} {sorted(x.to_text() for x in r)}" for r in given])
    return (m.rcode(), dns.flags.to_text(m.flags), m.ednsflags, sorted((o.otype, o.to_text()) for o in m.options), sections)


def differ(place, tree, policy, cd="no", ede="no", skip=lambda answer: False, left_out=lambda message, section, rrset: False):
    options = OPTIONS.format(cd=cd, ede=ede)
    wrong, compared, skipped = [], 0, 0
    with Resolver(place, tree, None, name="plain", with_module=False, port=5303, options=options, threads=1) as plain:
        with Resolver(place, tree, policy, options=options, threads=1) as ours:
            for name, rdtype in names():
                for question in ({}, {"do": True}, {"cd": True, "do": True}):
                    a, b = plain.ask(name, rdtype, tcp=True, **question), ours.ask(name, rdtype, tcp=True, **question)
                    if skip(b):
                        skipped += 1
                        continue
                    compared += 1
                    want, got = shape(a, left_out), shape(b)
                    if want != got:
                        wrong.append(f"{name} {rdtype} {question}:\n            without {want}\n            with    {got}")
    assert compared > 200, f"only {compared} answers were compared"
    assert not wrong, f"{len(wrong)} of {compared} answers differ:\n        " + "\n        ".join(wrong[:8])


def test_a_policy_that_records_changes_nothing(place, tree):
    differ(place, tree, RECORD)


def test_a_policy_that_records_changes_no_extended_error(place, tree):
    differ(place, tree, RECORD, ede="yes")


def test_no_policy_at_all_changes_nothing(place, tree):
    differ(place, tree, None)


def test_what_is_not_refused_is_the_same(place, tree):
    def refused(answer):
        return any(code == 15 for code, _ in answer.ede)

    differ(place, tree, POLICY, cd="yes", skip=refused, left_out=beside_signatures)
