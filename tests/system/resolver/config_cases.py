# SPDX-License-Identifier: BSD-2-Clause
"""The configurations of operators: whatever stands in unbound.conf, a required name that is not signed is refused, and
what is not refused is what the same Unbound gives without the module.

Each configuration is played on both, side by side, in the same order, twice. Where ours refuses (Extended DNS Error 15),
nothing is in the answer, and plain Unbound does not call it secure; where it does not, both answers are the same; and no
record of a required unsigned name is in any section, but where a rule of the operator's own made it."""
import os

import dns.exception
import dns.name
import dns.rdatatype
from answers_cases import POLICY
from resolver import Resolver
from same_cases import required, shape
from tree import HOST, ROOT, STUB, TLD

BASE = "  rrset-roundrobin: no\n  ignore-cd-flag: yes\n"
PLAIN = "dynlib validator iterator"
RESPIP = "dynlib respip validator iterator"
UNSIGNED = [dns.name.from_text(z) for z in ("unsigned.zz", "hosted.zz", "sub.opt.zz")]
QUESTIONS = """
www.unsigned.zz A
WWW.unsigned.zz AAAA
www.unsigned.zz TXT
www.unsigned.zz ANY
www.unsigned.zz RRSIG
www.unsigned.zz NSEC
www.unsigned.zz HTTPS
unsigned.zz NS
unsigned.zz SOA
unsigned.zz DS
unsigned.zz DNSKEY
www.unsigned.zz DS
no.unsigned.zz A
x.wild.unsigned.zz A
a.b.c.deep.unsigned.zz A
c.deep.unsigned.zz A
alias.unsigned.zz A
zero.unsigned.zz A
to-signed.unsigned.zz A
www.d.unsigned.zz A
www.d.free.zz A
to-unsigned.free.zz A
chain0.free.zz A
chain4.free.zz A
www.hosted.zz A
www.sub.opt.zz A
to-unsigned.signed.zz A
www.du.signed.zz A
signed.zz MX
_sip._tcp.signed.zz SRV
www.signed.zz A
www.signed.zz RRSIG
www.signed.zz NSEC
no.signed.zz A
x.wild.signed.zz A
c.deep.signed.zz A
to-two.signed.zz A
www.d.signed.zz A
www.two.zz A
no.two.zz AAAA
x.wild.two.zz A
www.free.zz A
www.free.zz ANY
no.free.zz A
x.wild.free.zz TXT
c.deep.free.zz A
to-signed.free.zz A
www.d2.free.zz A
x.wild.opt.zz A
www.expired.zz A
www.nosig.zz A
www.excused.zz A
"""


def questions():
    for line in QUESTIONS.strip().splitlines():
        name, rdtype = line.split()
        for how in ({}, {"cd": True, "do": True}):
            yield name, rdtype, how


def asked_below(zone):
    names = {line.split()[0].lower() for line in QUESTIONS.strip().splitlines()}
    return tuple(n for n in names if n == zone or n.endswith("." + zone))


def unsigned(name):
    return any(name.is_subdomain(zone) for zone in UNSIGNED)


def parents(rrset):
    """The parent zone's own record at the cut: signed by it, and validated."""
    return rrset.name in UNSIGNED and dns.rdatatype.NSEC in (rrset.rdtype, rrset.covers)


def beside(message, section, rrset):
    """What stands beside an answer and nobody validated; see same_cases. Of a required name it is left out."""
    return section is not message.answer and required(rrset.name)


def ask(r, name, rdtype, flags, tcp):
    """An answer, or None: there is none."""
    try:
        return r.ask(name, rdtype, tcp=tcp, **flags)
    except (dns.exception.DNSException, EOFError, OSError):
        return None


def both(plain, ours):
    """The answers of two askers. Where one alone has none, both are asked again: on a busy machine an answer may be late."""
    for _ in range(3):
        answers = plain(), ours()
        if (answers[0] is None) == (answers[1] is None):
            break
    return answers


def is_made(rrset, made):
    """The data that a rule of the operator's makes."""
    return made is not None and all(x.to_text() == made for x in rrset)


def wrong_with(plain, ours, local, same, made=None):
    """What is wrong with our answer beside plain Unbound's; None: nothing."""
    if ours is None or plain is None:
        return None if ours is plain else "one of the two has no answer"
    sections = (ours.message.answer, ours.message.authority, ours.message.additional)
    if any(code == 15 for code, _ in ours.ede):
        if ours.rcode != "SERVFAIL" or any(sections):
            return "refused, and there is something in it"
        return "refused, and plain Unbound calls it secure" if plain.ad else None
    leaks = [r for section in sections for r in section if unsigned(r.name) and r.name.to_text().lower() not in local]
    if [r for r in leaks if not parents(r) and not is_made(r, made)]:
        return f"gives {leaks}"
    if any(unsigned(r.name) and r not in ours.message.answer for r in plain.message.answer):
        return None  # plain Unbound gives what is refused; behind an alias it does so past an RPZ, from the second time on
    if same and shape(plain) != shape(ours) and shape(plain, beside) != shape(ours, beside):
        return "is another than plain Unbound's"
    return None


def play(place, tree, name, options="", after="", module=PLAIN, local=(), skip=(), tcp=False, least=20, same=True, made=None):
    wrong, refused = [], 0
    name = name.replace(" ", "-")
    how = {"threads": 1, "options": BASE + options, "after": after, "module": module}
    with Resolver(place, tree, None, name=f"{name}.plain", with_module=False, port=5303, **how) as a:
        with Resolver(place, tree, POLICY, name=name, **how) as b:
            for turn in range(2):
                for asked, rdtype, flags in questions():
                    if asked.lower() in skip:
                        continue
                    plain, ours = both(lambda: ask(a, asked, rdtype, flags, tcp), lambda: ask(b, asked, rdtype, flags, tcp))
                    refused += bool(ours and any(code == 15 for code, _ in ours.ede))
                    why = wrong_with(plain, ours, local, same, made)
                    if why:
                        asked_so = f"{name}: {asked} {rdtype} {flags} turn {turn}"
                        wrong.append(f"{asked_so}: {why}:\n            {plain}\n            {ours}")
    assert refused >= least, f"{name}: only {refused} answers were refused"
    return wrong


def all_of(place, tree, table):
    wrong = []
    for name, more in table.items():
        more = {"options": more} if isinstance(more, str) else more
        wrong += play(place, tree, name, **more)
    assert not wrong, f"{len(wrong)} answers are wrong:\n        " + "\n        ".join(wrong[:12])


def server(**options):
    return "".join(f"  {key.replace('_', '-')}: {value}\n" for key, value in options.items())


def test_caches_and_timers(place, tree):
    expired = {"serve_expired": "yes"}
    all_of(
        place,
        tree,
        {
            "plain": "",
            "prefetch": server(prefetch="yes", prefetch_key="yes"),
            "expired": server(**expired),
            "expired-ttl": server(**expired, serve_expired_ttl=1, serve_expired_reply_ttl=5),
            "expired-reset": server(**expired, serve_expired_ttl=2, serve_expired_ttl_reset="yes"),
            "expired-client": server(**expired, serve_expired_client_timeout=1),
            "expired-client-late": server(**expired, serve_expired_client_timeout=1800, prefetch="yes"),
            # What is in so small a cache is chance: an alias that is still there comes without its DNAME.
            "no-cache": {"options": server(msg_cache_size=0, rrset_cache_size=0), "same": False},
            "short": server(cache_max_ttl=0, cache_max_negative_ttl=0),
            "one-second": server(cache_max_ttl=1, cache_max_negative_ttl=1),
            "long": server(cache_min_ttl=3600),
            "no-keys": server(key_cache_size=0, neg_cache_size=0),
            "slabs": server(msg_cache_slabs=1, rrset_cache_slabs=1, key_cache_slabs=1, infra_cache_slabs=1),
        },
    )


def test_what_is_sent_and_said(place, tree):
    all_of(
        place,
        tree,
        {
            "minimal": server(qname_minimisation="no", minimal_responses="no"),
            "strict": server(qname_minimisation_strict="yes"),
            "caps": server(use_caps_for_id="yes"),
            "tcp": {"options": server(tcp_upstream="yes"), "tcp": True},
            "small": server(edns_buffer_size=512, max_udp_size=512),
            "any": server(deny_any="yes"),
            "no-target-fetch": server(target_fetch_policy='"0 0 0 0 0"'),
            "all-target-fetch": server(target_fetch_policy='"-1 -1 -1 -1 -1"'),
            "ratelimit": server(ratelimit=100000, ip_ratelimit=100000),
            "logs": server(log_queries="yes", log_replies="yes", log_servfail="yes", val_log_level=2, extended_statistics="yes"),
            "private": server(private_address="10.0.0.0/8", unblock_lan_zones="yes"),
            "no-hints": server(hide_identity="yes", hide_version="yes", hide_trustanchor="yes", root_key_sentinel="no"),
        },
    )


def test_what_is_validated(place, tree):
    insecure = {"options": server(domain_insecure='"free.zz"')}
    all_of(
        place,
        tree,
        {
            "aggressive": server(aggressive_nsec="yes"),
            "not-aggressive": server(aggressive_nsec="no", harden_below_nxdomain="no"),
            "hardened": server(
                harden_below_nxdomain="yes", harden_algo_downgrade="yes", harden_large_queries="yes", harden_short_bufsize="yes"
            ),
            "lax": server(harden_glue="no", harden_dnssec_stripped="no", val_clean_additional="no", disable_dnssec_lame_check="yes"),
            "insecure": insecure,
            "insecure-required": server(domain_insecure='"unsigned.zz"') + server(domain_insecure='"signed.zz"'),
            "insecure-tld": server(domain_insecure='"zz"'),
            "bogus-at-once": server(val_bogus_ttl=0),
            "another-anchor": server(trust_anchor=f'"signed.zz. DS {tree.ds["signed.zz"]}"'),
            "an-anchor-below": {"options": server(trust_anchor='"unsigned.zz. DS 4711 13 2 ' + "AB" * 32 + '"'), "least": 4},
            "override-date": server(val_override_date="-1"),
            "no-restart": server(val_max_restart=0),
        },
    )


def zone(kind, name, address, *more):
    return f"{kind}-zone:\n  name: \"{name}\"\n" + f"  {kind}-addr: {address}\n" + "".join(f"  {line}\n" for line in more)


def auth(tree, name, down, up, *more):
    file = os.path.join(tree.folder, f"{name}.signed")
    lines = (f'zonefile: "{file}"', f"for-downstream: {down}", f"for-upstream: {up}", *more)
    return f'auth-zone:\n  name: "{name}"\n' + "".join(f"  {line}\n" for line in lines)


def test_where_is_asked(place, tree):
    three = ("unsigned.zz", "free.zz", "signed.zz")
    no_cache = {kind: "".join(zone(kind, n, HOST, f"{kind}-no-cache: yes") for n in three) for kind in ("forward", "stub")}
    all_of(
        place,
        tree,
        {
            "forward": {"after": zone("forward", "unsigned.zz", HOST) + zone("forward", "free.zz", HOST)},
            "forward-first": {"after": zone("forward", "unsigned.zz", HOST, "forward-first: yes")},
            "forward-no-cache": {"after": no_cache["forward"]},
            "forward-tcp": {"after": zone("forward", "unsigned.zz", HOST, "forward-tcp-upstream: yes")},
            "stub": {"after": zone("stub", "unsigned.zz", HOST) + zone("stub", "stub.zz", STUB)},
            "stub-prime": {"after": zone("stub", "unsigned.zz", HOST, "stub-prime: yes") + zone("stub", "zz", TLD, "stub-prime: yes")},
            "stub-first": {"after": zone("stub", "unsigned.zz", HOST, "stub-first: yes")},
            "stub-no-cache": {"after": no_cache["stub"]},
            "stub-root": {"after": zone("stub", ".", ROOT)},
            "auth-up": {"after": "".join(auth(tree, n, "no", "yes") for n in three)},
            "auth-fallback": {"after": auth(tree, "unsigned.zz", "no", "yes", "fallback-enabled: yes", f"primary: {HOST}")},
            # Local data: passes, as the manual says. The aliases that lead to it are asked upstream, and judged.
            "auth-down": {"after": auth(tree, "unsigned.zz", "yes", "no"), "skip": asked_below("unsigned.zz")},
            "auth-signed-down": {"after": auth(tree, "signed.zz", "yes", "no"), "skip": asked_below("signed.zz")},
            "auth-root": {"after": auth(tree, ".", "no", "yes") + auth(tree, "zz", "no", "yes")},
        },
    )


LETS_PASS = ("transparent", "typetransparent", "inform", "always_transparent", "nodefault")
REWRITES = (
    "static",
    "refuse",
    "redirect",
    "inform_redirect",
    "always_refuse",
    "always_nxdomain",
    "always_nodata",
    "always_null",
    "noview",
)


def local_zone(kind):
    data = '  local-data: "www.unsigned.zz. 60 A 198.51.100.9"\n' if kind in ("redirect", "inform_redirect") else ""
    data += '  local-data: "own.unsigned.zz. 60 TXT local"\n' if kind in ("typetransparent", "transparent") else ""
    return f'  local-zone: "www.unsigned.zz." {kind}\n{data}'


def test_local_zones(place, tree):
    table = {f"local-{kind}": {"options": local_zone(kind)} for kind in LETS_PASS}
    table.update({f"local-{kind}": {"options": local_zone(kind), "local": ("www.unsigned.zz.",)} for kind in REWRITES})
    drops = {"options": local_zone("deny"), "skip": ("www.unsigned.zz",)}
    table["local-deny"] = drops
    all_of(place, tree, table)


def test_a_view(place, tree):
    view = 'view:\n  name: "v"\n  view-first: {first}\n  local-zone: "www.unsigned.zz." {kind}\n{more}'
    choose = "  access-control-view: 127.0.0.0/8 v\n"
    rip = '  response-ip: 203.0.113.77/32 redirect\n  response-ip-data: 203.0.113.77/32 "A 198.51.100.77"\n'
    all_of(
        place,
        tree,
        {
            "view-transparent": {"options": choose, "after": view.format(first="yes", kind="transparent", more="")},
            "view-nodata": {"options": choose, "after": view.format(first="no", kind="always_nodata", more="")},
            "view-response-ip": {"options": choose, "after": view.format(first="yes", kind="transparent", more=rip), "module": RESPIP},
        },
    )


# What stands in an RPZ, and the names that it makes (or drops): these are as plain Unbound's, the others are judged.
RPZ = {
    "nxdomain": ("www.unsigned.zz CNAME .", ()),
    "nodata": ("www.unsigned.zz CNAME *.", ()),
    "passthru": ("www.unsigned.zz CNAME rpz-passthru.", ()),
    "data": ("www.unsigned.zz A 198.51.100.9", ("www.unsigned.zz.",)),
    "wildcard": ("*.unsigned.zz A 198.51.100.9", None),
    "ip-passthru": ("32.10.113.0.203.rpz-ip CNAME rpz-passthru.", ()),
    "nsdname-passthru": ("ns.unsigned.zz.rpz-nsdname CNAME rpz-passthru.", ()),
    "nsip-passthru": ("32.3.2.0.192.rpz-nsip CNAME rpz-passthru.", ()),
    "client-passthru": ("32.1.0.0.127.rpz-client-ip CNAME rpz-passthru.", ()),
}


def test_rpz_of_every_action(place, tree):
    table = {}
    for number, (name, (line, local)) in enumerate(RPZ.items()):
        for override in ("", "passthru", "disabled"):
            if override and number % 3:
                continue
            file = os.path.join(place, f"rpz.{number}")
            with open(file, "w", encoding="ascii") as f:
                f.write(f"$ORIGIN rpz.example.\n$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\n{line}\n")
            after = f'rpz:\n  name: "rpz.example"\n  zonefile: "{file}"\n' + (f"  rpz-action-override: {override}\n" if override else "")
            names = tuple(f"{n}." for n in asked_below("unsigned.zz")) if local is None else local
            table[f"rpz-{name}-{override}"] = {"after": after, "module": RESPIP, "local": () if override else names}
    all_of(place, tree, table)


def test_other_modules(place, tree):
    table, dns64 = {}, "dns64 dynlib validator iterator"
    for action in ("inform", "always_refuse", "always_nxdomain"):
        # Behind a DNAME, from the second time on, the alias comes alone.
        same = action != "always_nxdomain"
        options = f"  response-ip: 203.0.113.0/24 {action}\n"
        broken = ("www.expired.zz", "www.nosig.zz")  # what response-ip denies, plain Unbound calls bogus from its cache
        table[f"response-ip-{action}"] = {"same": same, "options": options, "module": RESPIP, "skip": broken}
    table["dns64"] = {"options": server(dns64_prefix="64:ff9b::/96"), "module": dns64}
    table["dns64-synthall"] = {"options": server(dns64_prefix="64:ff9b::/96", dns64_synthall="yes"), "module": dns64}
    table["dns64-ignore"] = {"options": server(dns64_ignore_aaaa='"unsigned.zz"'), "module": dns64}
    table["ecs"] = {"options": server(send_client_subnet=HOST), "module": "dynlib subnetcache validator iterator"}
    all_of(place, tree, table)
