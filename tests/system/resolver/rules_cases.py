# SPDX-License-Identifier: BSD-2-Clause
"""The operators' configurations of config_cases.py, where rules of their own change answers: every trigger of an RPZ with
every action, and what else may turn an answer that nobody validated into one that passes."""
import os

from answers_cases import POLICY
from config_cases import RESPIP, all_of, auth, server
from resolver import Resolver

# What triggers, in the zone of rules: for required names that are not signed.
TRIGGERS = {
    "qname": "*.unsigned.zz",
    "ip": "24.0.113.0.203.rpz-ip",
    "nsdname": "ns.unsigned.zz.rpz-nsdname",
    "nsip": "32.3.2.0.192.rpz-nsip",
    "client": "32.1.0.0.127.rpz-client-ip",
}
# What is done, and the data that the rule makes of it.
ACTIONS = {
    "nxdomain": ("CNAME .", None),
    "nodata": ("CNAME *.", None),
    "passthru": ("CNAME rpz-passthru.", None),
    "tcp-only": ("CNAME rpz-tcp-only.", None),
    "data": ("A 198.51.100.9", "198.51.100.9"),
    "alias": ("CNAME www.free.zz.", "www.free.zz."),
    "alias-to-required": ("CNAME www.hosted.zz.", "www.hosted.zz."),
}


def rpz(place, name, line):
    file = os.path.join(place, f"{name}.rules")
    with open(file, "w", encoding="ascii") as f:
        f.write(f"$ORIGIN rpz.example.\n$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\n{line}\n")
    return f'rpz:\n  name: "rpz.example"\n  zonefile: "{file}"\n'


def by_trigger(place, tree, trigger):
    table = {}
    for action, (data, made) in ACTIONS.items():
        name = f"{trigger}-{action}"
        table[name] = {
            "after": rpz(place, name, f"{TRIGGERS[trigger]} {data}"),
            "module": RESPIP,
            "made": made,
            "tcp": action == "tcp-only",
            "least": 20 if action == "passthru" else 0,
            # What the rule changes plain Unbound tells in other sections from its cache than at first.
            "same": action == "passthru",
        }
    all_of(place, tree, table)


def test_rpz_by_name(place, tree):
    by_trigger(place, tree, "qname")


def test_rpz_by_address(place, tree):
    by_trigger(place, tree, "ip")


def test_rpz_by_the_name_of_a_server(place, tree):
    by_trigger(place, tree, "nsdname")


def test_rpz_by_the_address_of_a_server(place, tree):
    by_trigger(place, tree, "nsip")


def test_rpz_by_client(place, tree):
    by_trigger(place, tree, "client")


def test_permissive_validation(place, tree):
    """val-permissive-mode gives out what is bogus: of names that the policy requires nothing of it."""
    broken = ("expired.zz", "notyet.zz", "wrongds.zz", "nosig.zz", "algorithm.zz", "unsigned.zz", "hosted.zz")
    names = [f"{first}.{zone}" for zone in broken for first in ("www", "alias", "x.wild", "no", "zero", "www.ds")]
    names += ["to-expired.signed.zz", "via-expired.signed.zz", "to-unsigned.signed.zz", "to-unsigned.free.zz"]
    for threads in (1, 2):
        with Resolver(place, tree, POLICY, name=f"permissive{threads}", threads=threads, options=server(val_permissive_mode="yes")) as r:
            for turn in range(2):
                for name in names:
                    for rdtype in ("A", "TXT", "MX", "HTTPS"):
                        for how in ({}, {"cd": True}, {"do": True}):
                            answer = r.ask(name, rdtype, **how)
                            given = [x for s in (answer.message.answer, answer.message.authority) for x in s]
                            good = answer.ad or (answer.rcode == "SERVFAIL" and not given)  # parts of these zones validate
                            assert good, f"{name} {rdtype} {how} turn {turn}: {answer}"
            assert r.ask("www.free.zz").rcode == "NOERROR"
            assert r.ask("www.signed.zz").ad


def test_more_of_operators(place, tree):
    both = server(serve_expired="yes", serve_expired_client_timeout=1800, prefetch="yes")
    all_of(
        place,
        tree,
        {
            "client-string": server(edns_client_string="192.0.2.0/24 abcdef", edns_client_string_opcode=65001),
            "expired-and-rpz": {
                "options": both,
                "after": rpz(place, "expired", "32.10.113.0.203.rpz-ip CNAME rpz-passthru."),
                "module": RESPIP,
            },
            "zonemd": {"after": auth(tree, "unsigned.zz", "no", "yes", "zonemd-check: yes")},
            "zonemd-wanted": {
                "after": auth(tree, "unsigned.zz", "no", "yes", "zonemd-check: yes", "zonemd-reject-absence: yes", "fallback-enabled: yes")
            },
            "private-domain": server(private_address="203.0.113.0/24", private_domain='"free.zz"'),
            "do-not-query": server(do_not_query_address="192.0.2.99"),
            "outbound": server(outgoing_num_tcp=1, incoming_num_tcp=2, num_queries_per_thread=64, jostle_timeout=10),
            "fast-server": server(fast_server_permil=900, fast_server_num=2),
            "zero-of-all": server(cache_max_ttl=0, serve_expired="yes", prefetch="yes"),
        },
    )
