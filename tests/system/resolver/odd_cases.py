# SPDX-License-Identifier: BSD-2-Clause
"""What an attacker would try beside the configurations of config_cases.py: other transports, other servers before and
behind, access control, tags, local aliases, odd classes, types and packets. Beside plain Unbound, in the same order, three
times, so that what is refused again and again (hot_cases.py) is met too."""
import os
import socket
import ssl
import struct
import subprocess

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdataclass
from answers_cases import POLICY
from config_cases import BASE, all_of, asked_below, auth, both, server, unsigned, wrong_with, zone
from resolver import UNBOUND, Answer, Resolver
from tree import HOST

TURNS = 3
NAMES = ("www.unsigned.zz", "no.unsigned.zz", "alias.unsigned.zz", "to-unsigned.free.zz", "to-unsigned.signed.zz", "www.hosted.zz")
NAMES += ("www.free.zz", "www.signed.zz", "no.signed.zz", "x.wild.two.zz", "www.d.signed.zz", "www.expired.zz", "no.opt.zz")


def known(place, options):
    """Whether this Unbound knows these options."""
    path = os.path.join(place, "try.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write("server:\n" + options)
    done = subprocess.run([f"{UNBOUND}/sbin/unbound-checkconf", path], capture_output=True, text=True)
    return "syntax error" not in done.stderr and "unknown keyword" not in done.stderr


def sections(answer):
    return answer.message.answer + answer.message.authority + answer.message.additional


def beside(place, tree, name, questions, ask, options="", after="", skip_other=False, **more):
    """Plays questions on both. ask(r, question) gives an Answer or None."""
    wrong = []
    how = {"threads": 1, "options": BASE + options, "after": after, **more}
    with Resolver(place, tree, None, name=f"{name}.plain", with_module=False, port=5303, **how) as a:
        with Resolver(place, tree, POLICY, name=name, **how) as b:
            for turn in range(TURNS):
                for question in questions:
                    plain, ours = both(lambda: ask(a, question), lambda: ask(b, question))
                    why = wrong_with(plain, ours, (), not skip_other)
                    if why:
                        wrong.append(f"{name}: {question} turn {turn}: {why}:\n            {plain}\n            {ours}")
            assert b.process.poll() is None, b.words()[-500:]
    assert not wrong, f"{len(wrong)} answers are wrong:\n        " + "\n        ".join(wrong[:8])


def gently(how):
    try:
        return how()
    except (dns.exception.DNSException, EOFError, OSError):
        return None


def certificate(place):
    key, cert = os.path.join(place, "tls.key"), os.path.join(place, "tls.pem")
    if not os.path.exists(cert):
        subject = ["-subj", "/CN=dns.test", "-addext", "subjectAltName=DNS:dns.test", "-days", "2"]
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        subprocess.run([*command, "-keyout", key, "-out", cert, *subject], check=True, capture_output=True)
    return key, cert


def tls_options(place, port):
    key, cert = certificate(place)
    return f'  interface: 127.0.0.1@{port}\n  tls-port: {port}\n  tls-service-key: "{key}"\n  tls-service-pem: "{cert}"\n'


def test_over_tls(place, tree):
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE

    def ask(r, question):
        name, flags = question
        m = dns.message.make_query(name, "A", use_edns=0, want_dnssec=bool(flags))
        m.flags |= flags
        port = 8531 if r.port == 53 else 8530
        return gently(lambda: Answer(dns.query.tls(m, "127.0.0.1", timeout=6, port=port, ssl_context=trusting)))

    questions = [(name, flags) for name in NAMES for flags in (0, dns.flags.CD, dns.flags.AD)]
    wrong = []
    with Resolver(place, tree, None, name="plain", with_module=False, port=5303, threads=1, options=BASE + tls_options(place, 8530)) as a:
        with Resolver(place, tree, POLICY, threads=1, options=BASE + "  pad-responses: yes\n" + tls_options(place, 8531)) as b:
            for _ in range(TURNS):
                for question in questions:
                    plain, ours = ask(a, question), ask(b, question)
                    assert ours and plain, f"{question}: no answer over TLS"
                    why = wrong_with(plain, ours, (), False)
                    if why or plain.rcode != ours.rcode and not any(code == 15 for code, _ in ours.ede):
                        wrong.append(f"{question}: {why}: {plain} {ours}")
    assert not wrong, wrong[:5]


def test_over_https(place, tree):
    """Where this Unbound has HTTP/2, and dig can ask so."""
    key, cert = certificate(place)
    options = f'  interface: 127.0.0.1@8443\n  https-port: 8443\n  tls-service-key: "{key}"\n  tls-service-pem: "{cert}"\n'
    built = "nghttp2" in subprocess.run([f"{UNBOUND}/sbin/unbound", "-V"], capture_output=True, text=True).stdout
    asks = subprocess.run(["dig", "-h"], capture_output=True, text=True).stdout if os.path.exists("/usr/bin/dig") else ""
    if not built or "https" not in asks:
        print("        not played: no HTTP/2 in this Unbound, or no dig that asks by it")
        return
    with Resolver(place, tree, POLICY, threads=1, options=BASE + options) as r:
        for _ in range(TURNS + 2):
            for name, want in (("www.unsigned.zz", "SERVFAIL"), ("www.free.zz", "NOERROR"), ("www.signed.zz", "NOERROR")):
                for flag in ("+nocd", "+cd"):
                    command = ["dig", "@127.0.0.1", "-p", "8443", "+https", "+tries=1", "+timeout=6", flag, name, "A"]
                    said = subprocess.run(command, capture_output=True, text=True).stdout
                    assert f"status: {want}" in said, f"{name} {flag}: {said}"
                    assert ("203.0.113." in said) == (want == "NOERROR"), f"{name} {flag}: {said}"


def test_servers_behind(place, tree):
    """Forwarders and stubs by name (below a required name), over TLS, several, first."""
    _, cert = certificate(place)
    bundle = f'  tls-cert-bundle: "{cert}"\n'
    hosts = 'forward-zone:\n  name: "free.zz"\n  forward-host: primary.unsigned.zz\n'
    stub = 'stub-zone:\n  name: "hosted.zz"\n  stub-host: ns9.unsigned.zz\n'
    tls = 'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@8530#dns.test\n  forward-tls-upstream: yes\n'
    with Resolver(place, tree, None, name="upstream", with_module=False, port=5302, options=BASE + tls_options(place, 8530)):
        all_of(
            place,
            tree,
            {
                "by-name": {"after": hosts + stub},
                "by-tls": {"options": bundle, "after": tls},
                "by-tls-first": {"options": bundle, "after": tls.replace('"."', '"unsigned.zz"') + "  forward-first: yes\n"},
                "by-tls-no-cache": {"options": bundle, "after": tls + "  forward-no-cache: yes\n"},
                "upstream-tcp": {"after": 'forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@5302\n  forward-tcp-upstream: yes\n'},
                "two": {"after": zone("forward", "unsigned.zz", HOST, f"forward-addr: {HOST}") + zone("stub", "free.zz", HOST)},
                "auth-without-fallback": {"after": auth(tree, "unsigned.zz", "no", "yes", "fallback-enabled: no")},
            },
        )


def test_access_control(place, tree):
    kinds = ["deny", "refuse", "allow", "allow_snoop", "allow_setrd", "deny_non_local", "refuse_non_local"]
    options = "".join(f"  access-control: 127.0.0.{i + 10}/32 {kind}\n" for i, kind in enumerate(kinds))
    options += '  local-data: "mine.unsigned.zz. 60 A 198.51.100.9"\n'
    questions = [
        (name, f"127.0.0.{i + 10}", how)
        for i in range(len(kinds))
        for name in NAMES[:3] + ("www.free.zz", "www.signed.zz")
        for how in ({}, {"rd": False}, {"rd": False, "cd": True}, {"cd": True, "do": True})
        if kinds[i] not in ("deny", "deny_non_local") or name == "www.unsigned.zz"
    ]
    # Without RD plain Unbound gives what it has, which depends on what was asked before.
    beside(
        place,
        tree,
        "acl",
        questions,
        lambda r, q: gently(lambda: r.ask(q[0], source=q[1], timeout=0.4 if q[1] in ("127.0.0.10", "127.0.0.15") else 6, **q[2])),
        options=options,
        skip_other=True,
    )


def test_tags(place, tree):
    options = """  define-tag: "a b"
  access-control-tag: 127.0.0.8/32 "a"
  access-control-tag: 127.0.0.9/32 "b"
  local-zone: "www.unsigned.zz." transparent
  local-zone-tag: "www.unsigned.zz." "a b"
  access-control-tag-action: 127.0.0.8/32 "a" redirect
  access-control-tag-data: 127.0.0.8/32 "a" "A 198.51.100.9"
  access-control-tag-action: 127.0.0.9/32 "b" refuse
  local-zone: "www.free.zz." transparent
  local-zone-override: "www.free.zz." 127.0.0.7/32 always_nxdomain
"""
    with Resolver(place, tree, POLICY, threads=1, options=BASE + options) as r:
        for _ in range(TURNS + 1):
            for source in ("127.0.0.1", "127.0.0.8", "127.0.0.9", "127.0.0.7", "127.0.0.8"):
                for how in ({}, {"cd": True}, {"rd": False}):
                    answer = r.ask("www.unsigned.zz", source=source, **how)
                    if source == "127.0.0.8":
                        assert answer.rcode == "NOERROR" and "198.51.100.9" in str(answer.records), f"{source} {how}: {answer}"
                    elif source == "127.0.0.9":
                        assert answer.rcode == "REFUSED" and not answer.data, f"{source} {how}: {answer}"
                    else:
                        assert not answer.data, f"{source} {how}: {answer}"


def test_local_aliases(place, tree):
    """Local data that leads to names out there: what is required there is refused, in its own words each time."""
    data = {"u": "www.unsigned.zz", "f": "www.free.zz", "s": "www.signed.zz", "c": "chain0.free.zz", "n": "no.unsigned.zz"}
    options = "".join(f'  local-zone: "{k}.own." redirect\n  local-data: "{k}.own. 60 CNAME {v}."\n' for k, v in data.items())
    with Resolver(place, tree, POLICY, threads=1, options=BASE + options) as r:
        for direct in (False, True):
            for _ in range(TURNS + 2):
                for label, target in data.items():
                    for how in ({}, {"cd": True}, {"tcp": True}):
                        answer = r.ask(f"x.{label}.own", **how)
                        if label in "ucn":
                            assert answer.rcode == "SERVFAIL" and not sections(answer), f"{label} {how}: {answer}"
                            words = "no.unsigned.zz" if label == "n" else "www.unsigned.zz"
                            assert len(answer.ede) == 1 and f": {words} is not signed" in answer.ede[0][1], f"{label} {how}: {answer}"
                        else:
                            assert answer.rcode == "NOERROR" and len(answer.records) == 2, f"{label} {how}: {answer}"
                        if direct:
                            r.ask(target)


CLASSES = ("CH", "HS", "CLASS65280", "NONE", "ANY", "CLASS0")
TYPES = ("TYPE0", "OPT", "TKEY", "TSIG", "IXFR", "AXFR", "MAILB", "MAILA", "ANY", "NULL", "RRSIG", "NSEC3", "NSEC3PARAM", "KEY", "SIG")
TYPES += ("DNAME", "CDS", "CDNSKEY", "CSYNC", "ZONEMD", "SVCB", "HTTPS", "TLSA", "SSHFP", "TA", "DLV", "TYPE65535", "WKS", "A6", "LOC")


def odd_udp(r, question):
    name, rdtype, rdclass, how = question
    m = dns.message.make_query(name, rdtype, rdclass, use_edns=0)
    m.flags |= how
    return gently(lambda: Answer(dns.query.udp(m, "127.0.0.1", timeout=2, port=r.port)))


def test_odd_types(place, tree):
    names = ("www.unsigned.zz", "unsigned.zz", "www.signed.zz", "www.free.zz", "to-unsigned.signed.zz")
    questions = [(name, rdtype, "IN", how) for name in names for rdtype in TYPES for how in (0, dns.flags.CD)]
    beside(place, tree, "types", questions, odd_udp, options="  minimal-responses: no\n")


def test_odd_classes(place, tree):
    names = ("www.unsigned.zz", "www.free.zz", "www.signed.zz")
    odd = [(name, "A", rdclass, how) for rdclass in CLASSES for name in names for how in (0, dns.flags.CD)]
    after = [(name, "A", "IN", how) for name in names for how in (0, dns.flags.CD)]
    with Resolver(place, tree, POLICY, threads=1, options=BASE) as r:
        for _ in range(TURNS):
            for question in odd:
                answer = odd_udp(r, question)
                assert answer is None or not answer.data, f"{question}: {answer}"
            for question in after:
                answer = odd_udp(r, question)
                assert answer and (answer.rcode == "SERVFAIL") == ("unsigned" in question[0]), f"{question}: {answer}"
                assert not [x for x in sections(answer) if unsigned(x.name)], f"{question}: {answer}"


def wire(name, rdtype=1, rdclass=1):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
    return labels + struct.pack("!HH", rdtype, rdclass)


def packets():
    for name in ("www.unsigned.zz", "www.free.zz"):
        q = wire(name)
        for flags in (0x0100, 0x0110, 0x0130, 0x0140, 0x0180, 0x0000, 0x0300, 0x0500):
            yield struct.pack("!HHHHHH", 7, flags, 1, 0, 0, 0) + q
        for opcode in (1, 2, 3, 4, 5, 6, 15):
            yield struct.pack("!HHHHHH", 7, 0x0100 | opcode << 11, 1, 0, 0, 0) + q
        yield struct.pack("!HHHHHH", 7, 0x8100, 1, 0, 0, 0) + q  # a reply
        yield struct.pack("!HHHHHH", 7, 0x0100, 2, 0, 0, 0) + q + q
        yield struct.pack("!HHHHHH", 7, 0x0100, 0, 0, 0, 0)
        yield struct.pack("!HHHHHH", 7, 0x0100, 1, 1, 0, 0) + q + b"\xc0\x0c" + struct.pack("!HHIH4s", 1, 1, 60, 4, b"\x01\x02\x03\x04")
        yield struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + q + b"garbage"
        yield struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1"
        for version in (0, 1, 255):
            opt = b"\0" + struct.pack("!HHBBHH", 41, 4096, 0, version, 0x8000, 0)
            yield struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 1) + q + opt
            yield struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 2) + q + opt + opt
        options = ((8, b"\0\1\x18\0\x7f\0\0"), (10, b"12345678"), (3, b""), (12, b"\0" * 20), (15, b"\0\x0f"), (65001, b"x"), (13, b"\0"))
        for code, data in options:
            opt = b"\0" + struct.pack("!HHBBHH", 41, 1232, 0, 0, 0x8000, 4 + len(data)) + struct.pack("!HH", code, len(data)) + data
            yield struct.pack("!HHHHHH", 7, 0x0110, 1, 0, 0, 1) + q + opt
        for size in (0, 1, 511, 65535):
            yield struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 1) + q + b"\0" + struct.pack("!HHBBHH", 41, size, 0, 0, 0, 0)


def send(port, packet):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.sendto(packet, ("127.0.0.1", port))
        try:
            return s.recv(65535)
        except OSError:
            return None


def test_odd_packets(place, tree):
    """The head of each reply is as plain Unbound's, or a refusal of the required name; no address of it is in any."""
    with Resolver(place, tree, None, name="plain", with_module=False, port=5303, threads=1, options=BASE) as a:
        with Resolver(place, tree, POLICY, threads=1, options=BASE) as b:
            address = bytes(int(x) for x in a.ask("www.unsigned.zz").records[0].split()[-1].split("."))
            quiet = set()
            for turn in range(TURNS + 1):
                for i, packet in enumerate(packets()):
                    if i in quiet:
                        continue
                    plain, ours = send(5303, packet), send(53, packet)
                    if plain is None and ours is None:
                        quiet.add(i)
                        continue
                    assert plain and ours, f"packet {packet.hex()} turn {turn}: {plain} {ours}"
                    asked = b"unsigned" in packet
                    assert not asked or address not in ours, f"packet {packet.hex()} turn {turn}: {ours.hex()}"
                    if asked and address in plain:
                        assert ours[3] & 15 == 2, f"packet {packet.hex()} turn {turn}: {ours.hex()}"
                        continue
                    same = [(x[2], x[3], x[4:8]) for x in (plain, ours)]
                    assert same[0] == same[1], f"packet {packet.hex()} turn {turn}: {plain.hex()} {ours.hex()}"


def test_sentinels(place, tree):
    """Key sentinels (RFC 8509) of required names."""
    tags = [f"{how}-ta-{tag}" for how in ("is", "not") for tag in ("00001", "65535")]
    names = [f"root-key-sentinel-{tag}.{z}" for tag in tags for z in ("unsigned.zz", "free.zz")]
    names += [f"root-key-sentinel-{how}-ta-00001.wild.{z}" for how in ("is", "not") for z in ("unsigned.zz", "signed.zz", "free.zz")]
    beside(place, tree, "sentinel", names, lambda r, name: gently(lambda: r.ask(name)))


def test_more_options(place, tree):
    table = {
        "all-hardened": server(
            harden_referral_path="yes",
            harden_below_nxdomain="yes",
            harden_algo_downgrade="yes",
            harden_glue="yes",
            harden_large_queries="yes",
            qname_minimisation_strict="yes",
            use_caps_for_id="yes",
            aggressive_nsec="yes",
            deny_any="yes",
        ),
        "nothing-hardened": server(
            harden_referral_path="no", harden_below_nxdomain="no", harden_glue="no", harden_dnssec_stripped="no", qname_minimisation="no"
        ),
        "unverified-glue": server(harden_unverified_glue="yes"),
        "unknown-additional": server(harden_unknown_additional="yes", minimal_responses="no"),
        "cookies": server(answer_cookie="yes"),
        "scrub": server(iter_scrub_ns=1, iter_scrub_cname=2),
        "few-queries": server(max_global_quota=64),
        "negative-ttl": server(cache_min_negative_ttl=60),
        "aggressive-prefetch": server(aggressive_nsec="yes", prefetch="yes", prefetch_key="yes", cache_max_ttl=2),
        "aggressive-expired": server(aggressive_nsec="yes", serve_expired="yes", cache_max_ttl=1),
        "more-records": {"options": server(minimal_responses="no", rrset_roundrobin="yes"), "same": False},  # in any order
        "nsid": server(nsid='"ascii_x"'),
        "skew": server(val_sig_skew_min=0, val_sig_skew_max=0),
        "iterations": server(val_nsec3_keysize_iterations='"1024 0 2048 0 4096 0"'),
        "insecure-child": server(domain_insecure='"d.signed.zz"') + server(domain_insecure='"sub.opt.zz"'),
        "insecure-lan": server(insecure_lan_zones="yes", unblock_lan_zones="yes"),
        "rebinding": server(private_address="203.0.113.0/24"),
        "no-server-of-hosted": {"options": server(do_not_query_address="192.0.2.4")},
        "inform-deny": {"options": '  local-zone: "www.unsigned.zz." inform_deny\n', "skip": asked_below("www.unsigned.zz")},
        "always-deny": {"options": '  local-zone: "www.unsigned.zz." always_deny\n', "skip": asked_below("www.unsigned.zz")},
        "four-threads": server(num_threads=4, so_reuseport="yes"),
        "synthesised": {"options": server(dns64_synthall="yes"), "module": "dns64 dynlib validator iterator", "same": False},
        "ignored-aaaa": {
            "options": server(dns64_ignore_aaaa='"unsigned.zz"'),
            "module": "dns64 dynlib validator iterator",
            "same": False,
        },
    }
    played = {name: how for name, how in table.items() if known(place, how if isinstance(how, str) else how["options"])}
    print(f"        not known to this Unbound: {' '.join(sorted(set(table) - set(played))) or 'none'}")
    all_of(place, tree, played)
