# SPDX-License-Identifier: BSD-2-Clause
"""cases: domains with one planted fault each, domains with two, and domains without any. A case says which tests must not be met,
and no others may be."""
import re
import ssl
import sys

import cases_grammar
import cases_met
import cases_outside
import cases_more
import hosts
import names
from names import DEAD, FIRST, NO_TCP, NO_TLSA, NO_TLSA_2, OTHER, SECOND, Zone

import keys  # tests/world

NS = [("ns1.host.example.", FIRST), ("ns2.host.example.", SECOND)]
MANY_NS = [(f"nsm{i}.host.example.", (FIRST, SECOND)[i % 2]) for i in range(7)]
PROVIDER = "mail.provider.example"  # a mail host of somebody else, signed and in order
NEXT = "3 1 1 " + "ab" * 32


class Case:
    """name: the first label below .example. expect: names of tests that are not met. untested: of tests that must be untested."""

    def __init__(self, name, expect="", **spec):
        self.name, self.domain, self.expect = name, f"{name}.example", set(expect.split())
        self.spec = spec
        self.untested = set(spec.get("untested", "").split())
        self.v4 = self.v6 = None

    def get(self, key, otherwise):
        value = self.spec.get(key, otherwise)
        if not isinstance(value, str):
            return value
        return value.replace("%%", self.domain).replace("%4", str(self.v4)).replace("%6", str(self.v6))

    def has_host(self):
        return self.get("host", True) or self.get("apex", False)

    # ---- DNS ----

    def zone(self, authority):
        own = self.get("mx", f"@ MX 10 mx.{self.domain}.")
        lines = [own, self.get("address", "")]
        if self.get("apex", False):
            lines += [f"@ A {self.v4}", f"@ AAAA {self.v6}"]
        if self.get("host", True):
            lines += [f"mx A {self.v4}"] * self.get("a", True) + ([f"mx AAAA {self.v6}"] if self.get("aaaa", True) else [])
        lines += self.texts("@", "spf", "v=spf1 mx -all")
        lines += self.texts("_dmarc", "dmarc", f"v=DMARC1; p=reject; rua=mailto:dmarc@{self.domain}")
        lines += self.texts("sel._domainkey", "dkim", keys.record("rsa"))
        lines += self.texts("_smtp._tls", "tlsrpt", f"v=TLSRPTv1; rua=mailto:tls@{self.domain}")
        lines += self.texts("_mta-sts", "sts", None)
        if self.get("sts_file", None) is not None:
            lines.append("mta-sts A 25.25.25.250")
        if self.get("caa", True):
            lines.append('@ CAA 0 issue "ca.example"')
        owners = self.spec.get("tlsa_owners", ["_25._tcp" if self.get("apex", False) else "_25._tcp.mx"])
        lines += [f"{owner} TLSA {r}" for owner in owners for r in self.tlsa(authority)]
        lines.append(self.get("more", ""))
        kind = self.spec.get("zone", {})
        return Zone(self.domain, "\n".join(lines), self.spec.get("servers"), self.spec.get("other"), **kind)

    def texts(self, owner, key, otherwise):
        value = self.get(key, otherwise)
        all_of_it = value if isinstance(value, list) else [value] if value else []
        return [f"{owner} TXT {keys.txt(t.replace('%%', self.domain))}" for t in all_of_it]

    def tlsa(self, authority):
        wanted = self.spec.get("tlsa", ["3 1 1 {own}", NEXT])
        if not wanted or not self.has_host():
            return []
        pem = self.certificate(authority)[1]
        made = {
            "own": (pem,),
            "own512": (pem, "sha512"),
            "ca": (authority.path,),
            "key": (pem, None),
            "cert": (pem, None, True),
            "certdigest": (pem, "sha256", True),
        }
        return [re.sub(r"\{(\w+)\}", lambda m: authority.association(*made[m.group(1)]), r) for r in wanted]

    # ---- the mail host ----

    def certificate(self, authority):
        return authority.issue(self.get("cert_name", f"mx.{self.domain}"), **self.spec.get("cert", {}))

    def server(self, authority):
        tls = hosts.context(*self.certificate(authority), **self.spec.get("tls", {}))
        return hosts.Host(tls, self.spec.get("flaw"), self.spec.get("manner"))


def plain(name, expect="", **spec):
    """Without DANE and without MTA-STS: what is wrong with a certificate is seen there, since nothing pins it."""
    return Case(name, "dane mta-sts " + expect, **{"tlsa": [], **spec})


def made_up(name, expect, flaw, **spec):
    return Case(name, expect, flaw=flaw, **spec)


STS = "version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 604800\n"


def sts(name, expect, mode="enforce", mx="mx.%%", record="v=STSv1; id=1", **spec):
    return Case(name, expect, sts=record, sts_file=STS.format(mode=mode, mx=mx), **spec)


def other_text(text):
    return text.replace("v=spf1 mx -all", "v=spf1 mx ~all")


WITHOUT_FAULT = [
    Case("good"),
    sts("goodsts", ""),
    Case(
        "goodparked",
        "",
        mx="@ MX 0 .",
        host=False,
        spf="v=spf1 -all",
        dkim=None,
        tlsrpt=None,
        dmarc="v=DMARC1; p=reject; sp=reject; np=reject; rua=mailto:d@%%",
    ),
    Case("goodhosted", "", mx=f"@ MX 10 {PROVIDER}.", host=False, spf=f"v=spf1 include:spf.provider.example ~all"),
    Case("goodsoft", "", spf="v=spf1 mx ~all"),
    Case("goodquarantine", "", dmarc="v=DMARC1; p=quarantine; rua=mailto:d@%%"),
    Case("goodissuer", "", tlsa=["2 1 1 {ca}", "3 1 1 {own}"]),
    Case("goodthirteen", "", flaw=None, tls={"ciphers": "ECDHE+AESGCM"}),
    Case("goodredirect", "", spf="v=spf1 redirect=spf.provider.example"),
    Case("goodagility", "", tlsa=["3 1 1 {own}", "3 1 2 {own512}"]),
    Case("goodnsec3", "", zone={"nsec3": (0, "")}),
    Case("goodservers", "", servers=MANY_NS),
]

ONE_FAULT = [
    # DNS and DNSSEC
    Case("expired", "dnssec-valid", zone={"begin": -9, "end": -1}),
    Case("nods", "dnssec-valid", zone={"unsigned": True, "left_ds": True}),
    Case("wrongds", "dnssec-valid", zone={"wrong_ds": True}),
    Case(
        "unsigned",
        "dnssec-signed dane mta-sts",
        zone={"unsigned": True},
        mx=f"@ MX 10 {PROVIDER}.",
        host=False,
        spf="v=spf1 include:spf.provider.example -all",
    ),
    Case("oldalgorithm", "dnssec-algorithm", zone={"algorithm": "RSASHA1", "bits": 2048}),
    Case("smallkey", "dnssec-algorithm", zone={"algorithm": "RSASHA256", "bits": 1024}),
    Case("sha1ds", "dnssec-digest", zone={"sha1_ds": True}),
    Case("nsec3", "dnssec-nsec3", zone={"nsec3": (10, "abcd")}),
    Case("endssoon", "dnssec-expiry", zone={"begin": -13, "end": 1}),
    Case("unsignedmx", "dnssec-mx dane mta-sts", mx="@ MX 10 mx.nosign.example.", host=False, spf="v=spf1 mx -all"),
    Case("oneserver", "ns-count ns-ipv6", servers=NS[:1]),
    Case("lame", "ns-answer ns-ipv6-reach", servers=NS + [("ns5.host.example.", OTHER)]),
    Case("deadserver", "ns-answer ns-ipv6-reach", servers=NS + [("ns6.host.example.", DEAD)]),
    Case("differ", "ns-agree", servers=NS[:1] + [("ns5.host.example.", OTHER)], other=other_text),
    sts("differsts", "ns-agree", servers=NS[:1] + [("ns5.host.example.", OTHER)], other=lambda text: text.replace("id=1", "id=2")),
    Case("notlsa", "ns-tlsa", servers=[("ns7.host.example.", NO_TLSA), ("ns8.host.example.", NO_TLSA_2)]),
    Case("nsv4", "ns-ipv6", servers=[("ns1.host.example.", FIRST), ("nsfour.host.example.", (SECOND[0], None))]),
    Case("nsv6dead", "ns-ipv6-reach", servers=NS + [("ns9.host.example.", (SECOND[0], DEAD[1]))]),
    # Mail hosts
    Case(
        "oddnull",
        "mx",
        mx="@ MX 10 .",
        host=False,
        spf="v=spf1 -all",
        dkim=None,
        tlsrpt=None,
        dmarc="v=DMARC1; p=reject; rua=mailto:d@%%",
    ),
    Case("mixednull", "mx", mx="@ MX 0 .\n@ MX 10 mx"),
    Case(
        "aliasmx",
        "mx-host",
        mx="@ MX 10 alias",
        more="alias CNAME mx\n_25._tcp.alias CNAME _25._tcp.mx",
        cert_name="alias.aliasmx.example",
    ),
    Case("nohost", "mx-host", mx="@ MX 10 mx\n@ MX 20 gone.%%."),
    Case("mxv4", "mx-ipv6", aaaa=False),
    Case("mxv6dead", "mx-ipv6-reach", closed6=True),
    Case("mxdead", "mx-answer mx-ipv6-reach", mx="@ MX 10 mx\n@ MX 20 closed.provider.example."),
    Case("noname", "mx-ptr", no_ptr=True),
    # SPF
    Case("nospf", "spf", spf=None),
    Case("twospf", "spf", spf=["v=spf1 mx -all", "v=spf1 a -all"]),
    Case("badspf", "spf-syntax", spf="v=spf1 mx ip4:192.0.2.300 -all"),
    Case("longspf", "spf-lookups", spf="v=spf1 mx " + " ".join(f"a:a{i}.provider.example" for i in range(10)) + " -all"),
    Case("deepspf", "spf-lookups", spf="v=spf1 include:deep.provider.example -all"),
    Case("voidspf", "spf-void", spf="v=spf1 mx a:gone1.%% a:gone2.%% a:gone3.%% -all"),
    Case("neutral", "spf-policy", spf="v=spf1 mx ?all"),
    Case("noall", "spf-policy", spf="v=spf1 mx"),
    Case("everybody", "spf-everybody", spf="v=spf1 mx +all"),
    Case("halves", "spf-everybody spf-wide", spf="v=spf1 mx ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all"),
    Case("wide", "spf-wide", spf="v=spf1 mx ip4:10.0.0.0/8 -all"),
    Case("bigspf", "spf-size", more="\n".join(f'@ TXT "verification-{i}={"x" * 80}"' for i in range(6))),
    Case("ptrspf", "spf-ptr", spf="v=spf1 mx ptr -all"),
    Case("gonespf", "spf-syntax", spf="v=spf1 mx include:gone.provider.example -all"),
    Case("loopspf", "spf-syntax spf-lookups", spf="v=spf1 mx include:loop.provider.example -all"),
    # DMARC and DKIM
    Case("nodmarc", "dmarc", dmarc=None),
    Case("twodmarc", "dmarc", dmarc=["v=DMARC1; p=reject", "v=DMARC1; p=none"]),
    Case("nearmiss", "dmarc", dmarc="v=DMARC 1; p=reject"),
    Case("none", "dmarc-policy", dmarc="v=DMARC1; p=none; rua=mailto:d@%%"),
    Case("testing", "dmarc-policy", dmarc="v=DMARC1; p=quarantine; t=y; rua=mailto:d@%%"),
    Case("spnone", "dmarc-subdomains", dmarc="v=DMARC1; p=reject; sp=none; rua=mailto:d@%%"),
    Case("npnone", "dmarc-subdomains", dmarc="v=DMARC1; p=reject; np=none; rua=mailto:d@%%"),
    Case("norua", "dmarc-reports", dmarc="v=DMARC1; p=reject"),
    Case("external", "dmarc-external", dmarc="v=DMARC1; p=reject; rua=mailto:d@provider.example"),
    Case("badtag", "dmarc-syntax dmarc-policy", dmarc="v=DMARC1; p=reject; sp=rejekt; rua=mailto:d@%%"),
    Case("badadkim", "dmarc-syntax", dmarc="v=DMARC1; p=reject; adkim=x; rua=mailto:d@%%"),
    Case("missingp", "dmarc-syntax dmarc-policy", dmarc="v=DMARC1; rua=mailto:d@%%"),
    Case("externalelsewhere", "dmarc-external", dmarc="v=DMARC1; p=reject; rua=mailto:d@moved.provider.example"),
    Case("dkimservice", "dkim", dkim=keys.record("rsa").replace("k=rsa;", "k=rsa; s=tlsrpt;")),
    Case("dkim1024", "dkim", dkim=keys.record("rsa1024")),
    Case("dkim512", "dkim", dkim=keys.record("rsa512")),
    Case("dkimtest", "dkim", dkim=keys.record("rsa").replace("k=rsa;", "k=rsa; t=y;")),
    Case("nokey", "dkim", dkim=None),
    Case("brokenkey", "dkim", dkim="v=DKIM1; k=rsa; p=AAAA"),
    # TLS
    Case("clear", "starttls dane mta-sts", manner="plain", tlsa=[]),
    Case("clearpinned", "starttls dane-match", manner="plain"),
    Case("injection", "starttls", manner="injection"),
    Case("hangsup", "starttls", manner="hang up"),
    made_up("tls11", "tls-old", "tls11"),
    made_up("tls10", "tls-old", "tls10"),
    made_up("ssl3", "tls-old", "ssl3"),
    Case("onlytls11", "tls-version tls-old", flaw="only-tls11"),
    made_up("broken", "tls-ciphers", "broken"),
    made_up("oldcipher", "tls-ciphers-old", "old"),
    made_up("anonymous", "tls-anonymous", "anonymous"),
    # Real answers, as of a Postfix with its defaults. At that level Python's server signs with SHA-1, too.
    Case("anonymousreal", "tls-anonymous tls-hash", tls={"ciphers": "ECDHE+AESGCM:aNULL:!eNULL:!3DES", "level": 0}),
    made_up("other-cipher", "", "other-cipher"),
    made_up("other-version", "", "other-version"),
    made_up("order", "tls-order", "order"),
    made_up("dh1024", "tls-exchange", "dh1024"),
    made_up("dh2048", "", "dh2048"),
    made_up("pieces", "", "pieces"),
    made_up("warning", "", "warning"),
    # Senders' libraries offer no anonymous cipher: TLS fails with them.
    Case("onlyanonymous", "starttls", flaw="only-anonymous"),
    # RSA key exchange alone: whoever learns the key can read what was recorded; no better one is there to be chosen.
    Case("onlyrsa", "tls-ciphers-old", tls={"ciphers": "AES256-GCM-SHA384", "tls13": False}, cert={"kind": "rsa2048"}),
    Case("onlytls13", "", tls={"only": ssl.TLSVersion.TLSv1_3}),
    Case("onlytls12", "", tls={"ciphers": "ECDHE+AESGCM", "tls13": False}),
    made_up("weakgroup", "tls-exchange", "weak-group"),
    made_up("sha1", "tls-hash", "sha1"),
    made_up("compression", "tls-compression", "compression"),
    made_up("norenegotiation", "tls-renegotiation", "no-renegotiation"),
    made_up("noems", "tls-ems", "no-ems"),
    # Certificates
    plain("oldcert", "cert-dates", cert={"begin": -90, "end": -3}),
    plain("soon", "cert-dates", cert={"end": 3}),
    plain("othername", "cert-name", cert_name="www.provider.example"),
    # Python's server takes these certificates only at a level at which it signs with SHA-1, too.
    plain("smallcert", "cert-key tls-hash", cert={"kind": "rsa1024"}, tls={"level": 0}),
    plain("smallabove", "cert-key tls-hash", cert={"below": {"kind": "rsa1024"}}, tls={"level": 0}),
    plain("sha1above", "cert-signature tls-hash", cert={"below": {"digest": "sha1"}}, tls={"level": 0}),
    plain("sha1cert", "cert-signature tls-hash", cert={"digest": "sha1"}, tls={"level": 0}),
    # DANE
    Case("nodane", "dane mta-sts", tlsa=[]),
    Case("mismatch", "dane-match", tlsa=[NEXT]),
    Case("unusable", "dane-usable", tlsa=["1 1 1 {own}", "0 1 1 {ca}"]),
    Case("bothofnow", "", tlsa=["3 1 1 {own}", "3 0 1 {certdigest}"]),
    Case("agility", "dane-match", tlsa=["3 1 1 {own}", "3 1 2 " + "cd" * 64]),
    # MTA-STS, TLS-RPT, CAA
    Case("nofile", "mta-sts-valid", sts="v=STSv1; id=1"),
    Case("badfile", "mta-sts-valid", sts="v=STSv1; id=1", sts_file="version: STSv1\nmode: enforce\n"),
    Case("missingfile", "mta-sts-valid", sts="v=STSv1; id=1", sts_file=""),
    Case("stscert", "mta-sts-valid", sts="v=STSv1; id=1", sts_file=STS.format(mode="enforce", mx="mx.%%"), sts_wrong=True),
    sts("stsmx", "mta-sts-mx", mx="mail.%%"),
    sts("ststesting", "mta-sts-mode", mode="testing"),
    sts("stsid", "mta-sts-valid", record="v=STSv1; id=not good"),
    Case("twosts", "mta-sts-valid", sts=["v=STSv1; id=1", "v=STSv1; id=2"], sts_file=STS.format(mode="enforce", mx="mx.%%")),
    Case("norpt", "tls-rpt", tlsrpt=None),
    Case("rpt10", "tls-rpt", tlsrpt="v=TLSRPTv10; rua=mailto:t@%%"),
    Case("rptsecond", "tls-rpt", tlsrpt="v=TLSRPTv1; rua=mailto:t@%%,t@%%"),
    Case("nocaa", "caa", caa=False),
]

# The same tests by other words, some of them in order, and what is wrong in several ways.
REJECT = "v=DMARC1; p=reject; rua=mailto:d@%%"
ONE_FAULT += [
    Case("misspeltall", "spf-syntax", spf="v=spf1 mx -al"),
    Case("upperspf", "", spf="V=SPF1 MX -ALL"),
    Case("wide6", "spf-everybody", spf="v=spf1 mx ip6:::/0 -all"),
    Case("everybody4", "spf-everybody spf-wide", spf="v=spf1 mx ip4:0.0.0.0/0 -all"),
    Case("existshost", "spf-everybody", spf="v=spf1 mx exists:mx.%% -all"),
    Case("includeall", "spf-everybody", spf="v=spf1 include:inc.%% -all", more='inc TXT "v=spf1 +all"'),
    Case("includetwo", "spf-syntax", spf="v=spf1 mx include:inc.%% -all", more='inc TXT "v=spf1 -all"\ninc TXT "v=spf1 ~all"'),
    Case("goneredirect", "spf-syntax", spf="v=spf1 mx redirect=gone.%%"),
    Case("brokenall", "spf-syntax", spf="v=spf1 mx -all -all=x"),
    Case("oddorder", "dmarc", dmarc="p=reject; v=DMARC1"),
    Case("bareaddress", "dmarc-syntax dmarc-reports", dmarc="v=DMARC1; p=reject; rua=d@%%"),
    Case("closetags", "", dmarc="v=DMARC1;p=REJECT;rua=mailto:d@%%;"),
    Case("upperpolicy", "dmarc-policy", dmarc="v=DMARC1; p=NONE; sp=reject; rua=mailto:d@%%"),
    Case("quarantinesub", "dmarc-subdomains", dmarc="v=DMARC1; p=quarantine; sp=none; rua=mailto:d@%%"),
    Case("testingreject", "", dmarc="v=DMARC1; p=reject; t=y; rua=mailto:d@%%"),
    Case("failurereports", "dmarc-external", dmarc=REJECT + "; ruf=mailto:x@provider.example"),
    Case("onekey", "", dkim=[keys.record("rsa")]),
    Case("strangekey", "dkim", dkim="v=DKIM1; k=foo; p=AAAA"),
    Case("sha1key", "dkim", dkim=keys.record("rsa").replace("k=rsa;", "k=rsa; h=sha1;")),
    Case("strangeusage", "dane-usable", tlsa=["4 1 1 {own}"]),
    Case("strangematching", "dane-usable", tlsa=["3 1 3 {own}"]),
    Case("zerodigest", "dane-match", tlsa=["3 1 1 " + "00" * 32]),
    Case("wrongselector", "dane-match", tlsa=["3 0 1 {own}"]),
    Case("addressmx", "mx-host", mx="@ MX 10 mx\n@ MX 20 25.25.25.2."),
    Case("aliasmx2", "mx-host", mx="@ MX 10 mx\n@ MX 20 mx2", more="mx2 CNAME mail.provider.example."),
    sts("modenone", "mta-sts-mode", mode="none"),
    sts("wildcardsts", "", mx="*.%%"),
    Case("noversion", "mta-sts-valid", sts="v=STSv1; id=1", sts_file="mode: enforce\nmx: mx.%%\nmax_age: 604800\n"),
    Case("crlfsts", "mta-sts-mode", sts="v=STSv1; id=1", sts_file="version: STSv1\r\nmode: enforce\r\nmx: mx.%%\r\nmax_age: 60\r\n"),
    Case("iodefonly", "caa", caa=False, more='@ CAA 0 iodef "mailto:a@b.example"'),
    Case("nobodyissues", "", caa=False, more='@ CAA 0 issue ";"'),
    Case("emptyrua", "tls-rpt", tlsrpt="v=TLSRPTv1; rua="),
    Case("tworpt", "tls-rpt", tlsrpt=["v=TLSRPTv1; rua=mailto:a@%%", "v=TLSRPTv1; rua=mailto:b@%%"]),
    Case("ed25519", "", zone={"algorithm": "ED25519"}),
    Case("rsasha512", "", zone={"algorithm": "RSASHA512", "bits": 2048}),
    Case("saltonly", "dnssec-nsec3", zone={"nsec3": (0, "abcd")}),
    Case("oneiteration", "dnssec-nsec3", zone={"nsec3": (1, "")}),
    Case("twodays", "dnssec-expiry", zone={"begin": -12, "end": 2}),
    Case("fourdays", "", zone={"end": 4}),
    Case("sha1nsec3", "dnssec-algorithm", zone={"algorithm": "RSASHA1_NSEC3", "bits": 2048, "nsec3": (0, "")}),
    Case("notyet", "dnssec-valid", zone={"begin": 2, "end": 9}),
    Case("lame2", "ns-answer ns-ipv6-reach", servers=NS + [("ns5.host.example.", OTHER)]),
    plain("earlycert", "cert-dates", cert={"begin": 5, "end": 90}),
    plain("invalidname", "cert-name", cert_name="mx.invalidname.example.invalid"),
    plain("smallcert2", "cert-key tls-hash", cert={"kind": "rsa1024"}, tls={"level": 0}),
    Case("nothingpublished", "spf dkim", spf=None, dkim=None),
    Case("threeplain", "mx-ipv6 caa tls-rpt", aaaa=False, caa=False, tlsrpt=None),
    Case("threefaults", "dane-match spf-everybody dmarc", tlsa=[NEXT], spf="v=spf1 +all", dmarc=None),
    Case("voidkinds", "spf-void", spf="v=spf1 mx a:g1.%% mx:g2.%% exists:g3.%% -all"),
    Case("elevenmx", "spf-lookups", spf="v=spf1 " + " ".join("mx" for _ in range(11)) + " -all"),
]

TWO_FAULTS = [
    Case("two1", "spf dmarc", spf=None, dmarc=None),
    Case("two2", "dmarc-policy caa", dmarc="v=DMARC1; p=none; rua=mailto:d@%%", caa=False),
    Case("two3", "spf-policy tls-rpt", spf="v=spf1 mx ?all", tlsrpt=None),
    Case("two4", "mx-ptr dmarc-reports", no_ptr=True, dmarc="v=DMARC1; p=reject"),
    Case("two5", "dnssec-expiry dkim", zone={"begin": -6, "end": 1}, dkim=None),
    Case("two6", "tls-old caa", flaw="tls10", caa=False),
    Case("two7", "dnssec-nsec3 spf-ptr", zone={"nsec3": (5, "")}, spf="v=spf1 mx ptr -all"),
    Case("two8", "dane-match dmarc-policy", tlsa=[NEXT], dmarc="v=DMARC1; p=none; rua=mailto:d@%%"),
    Case("two9", "mx-ipv6 spf-void", aaaa=False, spf="v=spf1 mx a:g1.%% a:g2.%% a:g3.%% -all"),
    Case("two10", "dane mta-sts cert-dates cert-name", tlsa=[], cert={"end": -1}, cert_name="x.provider.example"),
    sts("two11", "mta-sts-mode tls-rpt", mode="testing", tlsrpt=None),
    Case(
        "two12",
        "ns-ipv6 dmarc-subdomains",
        servers=[("ns1.host.example.", FIRST), ("nsfour.host.example.", (SECOND[0], None))],
        dmarc="v=DMARC1; p=reject; sp=none; rua=mailto:d@%%",
    ),
    Case("two13", "dnssec-digest spf-wide", zone={"sha1_ds": True}, spf="v=spf1 mx ip4:10.0.0.0/8 -all"),
    Case("two14", "tls-ciphers dkim", flaw="broken", dkim=keys.record("rsa512")),
    Case("two15", "tls-hash dmarc-external", flaw="sha1", dmarc="v=DMARC1; p=reject; rua=mailto:d@provider.example"),
    Case("two16", "tls-compression caa", flaw="compression", caa=False),
    Case("two17", "spf-lookups caa", spf="v=spf1 include:deep.provider.example -all", caa=False),
    Case("two18", "dkim dmarc", dkim=None, dmarc=None),
    Case("two19", "mx-host caa", mx="@ MX 10 mx\n@ MX 20 gone.%%.", caa=False),
    Case("two20", "dnssec-algorithm tls-rpt", zone={"algorithm": "RSASHA256", "bits": 1024}, tlsrpt=None),
]

# Servers that cannot be tested: never a failure, the cause named.
TROUBLE = [
    Case("tarpit", "", manner="tarpit", cause="timed out: the host took too long"),
    Case("silentmx", "", manner="silent", cause="timed out: the host took too long"),
    Case("dropped", "", address4="25.25.26.9", aaaa=False, closed=True, cause="timed out: the host took too long"),
    Case("busy", "", manner="421", cause="busy: the host greets with an error: 421 too busy"),
    Case("greylist", "", manner="greylist", cause="busy: the host greets with an error: 450 4.7.1"),
    Case("garbage", "", manner="garbage", cause="not SMTP: this is not an SMTP server"),
    Case("banner", "", manner="banner", cause="not SMTP: a reply over the limit"),
    Case("hangup", "", manner="close", cause="cut off: the host closed the connection"),
    Case("reset", "", manner="reset", cause="cut off: the connection was lost"),
    Case("resettls", "", manner="reset tls", cause="cut off: the TLS handshake failed: connection reset"),
    Case("halftls", "", manner="half tls", cause="cut off: the TLS handshake failed"),
    Case("stuck", "", manner="stuck tls", cause="timed out: the host took too long"),
    Case("drip", "", manner="drip tls", cause="timed out: the host took too long"),
    Case("flood", "", manner="flood", cause="an answer over the limit"),
    Case("chain", "", tls={"many": 25000}, cause="an answer over the limit"),
    Case("closed", "", closed=True, cause="unreachable: cannot connect"),
    Case("private", "", address4="10.1.2.3", aaaa=False, closed=True, cause="not an address of the public internet"),
]

# A banner, a DMARC record and names in certificates that steer terminals, browsers and spreadsheets. The authority's name is told,
# because its key is weak.
HOSTILE = Case(
    "hostile",
    "",
    manner="hostile",
    dmarc="v=DMARC1; p=reject; rua=mailto:d@%%; x=<script>alert(1)</script>\x1b[31m",
    tlsa=[],
    tls={"level": 0},
    cert={
        "subject": "=Leaf\x1b]0;x\x07\n\"><script>alert(2)</script>",
        "below": {"kind": "rsa1024", "name": "=Evil\x1b[31m\n\"><script>alert(3)</script>\u202e|score=100"},
    },
)
HYBRID = Case("hybrid", "", flaw="hybrid")
# Each of these selectors has 60 kB of text: more in all than the least check.memory.
HEAVY_SELECTORS = [f"heavy{i}" for i in range(30)]
HEAVY = Case("heavy", "", more="\n".join(f"{s}._domainkey TXT " + " ".join(['"' + "x" * 250 + '"'] * 240) for s in HEAVY_SELECTORS))


def policy_file(mode, mx="mx.%%", age=604800):
    return STS.format(mode=mode, mx=mx).replace("604800", str(age))


def enforced(name, expect, **spec):
    return Case(name, expect, **{"sts": "v=STSv1; id=1", "sts_file": policy_file("enforce"), **spec})


ONE_FAULT += cases_more.spf(Case) + cases_more.dmarc(Case) + cases_more.dkim(Case)
ONE_FAULT += cases_more.transport(Case, enforced, policy_file)
ONE_FAULT += cases_more.hosts(Case, plain, NS[:1] + [("ns5.host.example.", OTHER)])
ONE_FAULT += cases_met.dns(Case, NS) + cases_met.texts(Case, enforced, policy_file) + cases_met.hosts(Case, plain, enforced)
ONE_FAULT += cases_outside.all_of_them(Case, plain, NS, NO_TCP)
ONE_FAULT += cases_grammar.spf(Case) + cases_grammar.dmarc(Case) + cases_grammar.dkim(Case)
ONE_FAULT += cases_grammar.transport(Case, enforced, policy_file) + cases_grammar.hosts(Case, plain)
TWO_FAULTS += cases_more.pairs(Case, plain, enforced, policy_file)

ALL = WITHOUT_FAULT + ONE_FAULT + TWO_FAULTS + TROUBLE + [HOSTILE, HYBRID, HEAVY]


NETWORKS = (25, 27, 28)  # the third octets of mail hosts; 26 is where nobody answers


def number():
    """Gives every case addresses of its own."""
    for i, case in enumerate(ALL):
        case.v4 = case.get("address4", None) or f"25.25.{NETWORKS[i // 220]}.{i % 220 + 10}"
        case.v6 = f"2a10:25::{i + 10:x}"


def description(authority):
    """All zones."""
    number()
    named = lambda c: c.get("ptr", c.domain if c.get("apex", False) else f"mx.{c.domain}")
    pairs = [(a, named(c)) for c in ALL if not c.get("no_ptr", False) for a in (c.v4, c.v6)]
    pairs += [(a, name) for c in ALL for name in c.get("ptrs", []) for a in (c.v4, c.v6)]
    pairs += [
        ("25.25.25.2", PROVIDER),
        ("2a10:25::2", PROVIDER),
        ("25.25.25.3", "mx.nosign.example"),
        ("2a10:25::3", "mx.nosign.example"),
    ]
    pairs += [("25.25.25.4", "closed.provider.example"), ("2a10:25::4", "closed.provider.example")]
    host = "\n".join(
        f"ns{n} A {pair[0]}\nns{n} AAAA {pair[1]}"
        for n, pair in ((1, FIRST), (2, SECOND), (5, OTHER), (6, DEAD), (7, NO_TLSA), (8, NO_TLSA_2), (10, NO_TCP))
    )
    host += "".join(f"\n{name.split('.')[0]} A {pair[0]}\n{name.split('.')[0]} AAAA {pair[1]}" for name, pair in MANY_NS)
    host += f"\nnssix1 AAAA {FIRST[1]}\nnssix2 AAAA {SECOND[1]}"
    host += f"\nnsfour A {SECOND[0]}\nns9 A {SECOND[0]}\nns9 AAAA {DEAD[1]}"
    own = authority.association(authority.issue(PROVIDER)[1])
    provider = f"""
        mail A 25.25.25.2
        mail AAAA 2a10:25::2
        closed A 25.25.25.4
        closed AAAA 2a10:25::4
        _25._tcp.mail TLSA 3 1 1 {own}
        _25._tcp.mail TLSA {NEXT}
        _25._tcp.closed TLSA {NEXT}
        www A 25.25.25.2
        spfalias CNAME spf.provider.example.
        *._report._dmarc.agrees TXT "v=DMARC1"
        *._report._dmarc.moved TXT "v=DMARC1; rua=mailto:d@elsewhere.provider.example"
        spf TXT "v=spf1 ip4:25.25.25.2 -all"
        everybody TXT "v=spf1 +all"
        loop TXT "v=spf1 include:loop.provider.example -all"
        deep TXT "v=spf1 include:deep1.provider.example include:deep2.provider.example include:deep3.provider.example -all"
        {chr(10).join(f'deep{i} TXT "v=spf1 ' + " ".join(f"a:a{i}.provider.example" for i in range(3)) + '"' for i in (1, 2, 3))}
        {chr(10).join(f"a{i} A 25.25.25.2" for i in range(10))}
        """
    strip = lambda text: "\n".join(line.strip() for line in text.split("\n"))
    zones = [
        Zone("."),
        Zone("example", f"ns.nic A {names.TLD[0]}\nns.nic AAAA {names.TLD[1]}"),
        Zone("arpa"),
        Zone("in-addr.arpa"),
        Zone("ip6.arpa"),
    ]
    zones += [Zone("host.example", host), Zone("provider.example", strip(provider))]
    zones += [Zone("nosign.example", "mx A 25.25.25.3\nmx AAAA 2a10:25::3", unsigned=True)]
    zones += [Zone(*names.reverse_zone("25.25.0.0/16", pairs)), Zone(*names.reverse_zone("2a10:25::/32", pairs))]
    return zones + [c.zone(authority) for c in ALL]


def listeners(authority):
    """Every mail host, and the policy host."""
    all_of_them, policy = hosts.Listeners(), hosts.PolicyHost(authority)
    for c in ALL:
        host = c.server(authority)
        if not c.get("closed", False) and c.has_host():
            all_of_them.add(c.v4, 25, host)
            if not c.get("closed6", False):
                all_of_them.add(c.v6, 25, host)
        text = c.get("sts_file", None)
        if text:
            policy.files[f"mta-sts.{c.domain}"] = text
        if c.get("sts_answer", None):
            policy.answers[f"mta-sts.{c.domain}"] = c.get("sts_answer", None)
        if c.get("sts_wrong", False):
            policy.wrong.add(f"mta-sts.{c.domain}")
        if c.get("sts_expired", False):
            policy.expired.add(f"mta-sts.{c.domain}")
    for n, name in ((2, PROVIDER), (3, "mx.nosign.example")):
        provider = hosts.Host(hosts.context(*authority.issue(name)))
        all_of_them.add(f"25.25.25.{n}", 25, provider)
        all_of_them.add(f"2a10:25::{n}", 25, provider)
    all_of_them.add("25.25.25.250", 443, policy)
    all_of_them.start()


if __name__ == "__main__":
    sys.exit("cases: run it by tests/system/check/run")
