# SPDX-License-Identifier: BSD-2-Clause
"""Where the policy does not refuse, a resolver with the module answers as one without: the same sections, flags and
codes, for every name of the tree and
for random ones, in the same order, twice."""
import random

import dns.flags
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


def shape(answer):
    """All of a message but its id and TTLs."""
    m = answer.message
    sections = []
    for section in (m.answer, m.authority, m.additional):
        sections.append([f"{r.name} {r.rdclass} {r.rdtype} {r.covers} {sorted(x.to_text() for x in r)}" for r in section])
    return (m.rcode(), dns.flags.to_text(m.flags), m.ednsflags, sorted((o.otype, o.to_text()) for o in m.options), sections)


def differ(place, tree, policy, cd="no", ede="no", skip=lambda answer: False):
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
                    if shape(a) != shape(b):
                        wrong.append(f"{name} {rdtype} {question}:\n            without {shape(a)}\n            with    {shape(b)}")
    assert compared > 200, f"only {compared} answers were compared"
    assert not wrong, f"{len(wrong)} of {compared} answers differ:\n        " + "\n        ".join(wrong[:8])


def test_a_policy_that_records_changes_nothing(place, tree):
    differ(place, tree, RECORD)


def test_a_policy_that_records_changes_no_extended_error(place, tree):
    differ(place, tree, RECORD, ede="yes")


def test_no_policy_at_all_changes_nothing(place, tree):
    differ(place, tree, None)


def test_what_is_not_refused_is_the_same(place, tree):
    differ(place, tree, POLICY, cd="yes", skip=lambda answer: any(code == 15 for code, _ in answer.ede))
