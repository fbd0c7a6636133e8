# SPDX-License-Identifier: BSD-2-Clause
"""cases_more: planted faults by standard, each as its RFC has it, beside forms that look odd and are in order."""
import keys  # tests/world

RSA, ED25519 = keys.record("rsa"), keys.record("ed25519")
KEY = RSA.split("p=")[1]
RUA = "; rua=mailto:d@%%"


SPF_SYNTAX = {
    "prefix4": "ip4:192.0.2.0/33",
    "octets6": "ip6:2001:db8::g",
    "prefix6": "ip6:2001:db8::/129",
    "sixasfour": "ip4:2001:db8::1",
    "fourassix": "ip6:192.0.2.1",
    "noip": "ip4:",
    "emptyname": "a:",
    "mxslash": "mx/",
    "mxprefix": "mx/33",
    "includenone": "include",
    "includeempty": "include:",
    "existsnone": "exists",
    "ptrempty": "ptr:",
    "unknownterm": "ipv4:192.0.2.1",
    "commas": "mx,a",
    "macroletter": "exists:%{q}.spf.provider.example",
    "macroopen": "exists:%{i.spf.provider.example",
    "macrobare": "exists:%i.spf.provider.example",
    "macrozero": "exists:%{i0}.spf.provider.example",
    "onecidr": "a:mx.%%/24/64",
    "redirectnone": "redirect=",
    "tworedirects": "redirect=spf.provider.example redirect=spf.provider.example",
    "twoexp": "exp=a.%% exp=b.%%",
}
SPF_GOOD = {
    "macrosgood": "v=spf1 mx exists:%{ir}.%{v}.spf.provider.example -all",
    "bothcidrs": "v=spf1 mx a:mx.%%/24//64 -all",
    "allredirect": "v=spf1 mx -all redirect=gone.%%",
    "unknownmodifier": "v=spf1 mx moo=bar -all",
    "goneexp": "v=spf1 mx exp=gone.%% -all",
    "twovoids": "v=spf1 mx a:g1.%% a:g2.%% -all",
    "behindall": "v=spf1 mx -all include:gone.provider.example",
    "blanksspf": "v=spf1  mx   -all ",
}


def spf(case):
    nested = lambda n: "\n".join(
        f'n{i} TXT "v=spf1 ' + (f'include:n{i + 1}.%% -all"' if i < n else 'ip4:25.25.25.2 -all"') for i in range(1, n + 1)
    )
    return (
        [case(name, "spf-syntax", spf=f"v=spf1 mx {term} -all") for name, term in SPF_SYNTAX.items()]
        + [case(name, "", spf=text) for name, text in SPF_GOOD.items()]
        + [
            case("spf99", "spf", spf=None, more='@ SPF "v=spf1 mx -all"'),
            case("spf99too", "", more='@ SPF "v=spf1 mx ?all"'),
            case("nested10", "", spf="v=spf1 include:n1.%% -all", more=nested(10)),
            case("nested11", "spf-lookups", spf="v=spf1 include:n1.%% -all", more=nested(11)),
            case("gluedstrings", "spf-syntax", spf=None, more='@ TXT "v=spf1 mx" "-all"'),
            case("longdash", "spf-syntax", spf=None, more='@ TXT "v=spf1 mx \\226\\128\\147all"'),
            case("blankspf", "spf", spf=" v=spf1 mx -all"),
            case("spf10", "spf", spf="v=spf10 mx -all"),
            case("senderid", "spf", spf="spf2.0/pra mx -all"),
            case("spfelsewhere", "spf", spf=None, more='_spf TXT "v=spf1 mx -all"'),
            case("neutralinclude", "", spf="v=spf1 mx ?include:inc.%% -all", more='inc TXT "v=spf1 +all"'),
            case("redirecttwo", "spf-syntax", spf="v=spf1 redirect=inc.%%", more='inc TXT "v=spf1 -all"\ninc TXT "v=spf1 ~all"'),
            case("redirectopen", "spf-policy", spf="v=spf1 redirect=inc.%%", more='inc TXT "v=spf1 mx:%%"'),
            case("includewrong", "spf-syntax", spf="v=spf1 mx include:inc.%% -all", more='inc TXT "v=spf1 ip4:1.2.3 -all"'),
            case(
                "elevenhosts",
                "spf-lookups",
                spf="v=spf1 mx mx:many.%% -all",
                more="\n".join(f"many MX {i} m{i}.%%.\nm{i} A 25.25.25.2" for i in range(11)),
            ),
        ]
    )


def dmarc(case):
    good = {
        "pctfifty": "v=DMARC1; p=reject; pct=50" + RUA,
        "strictupper": "v=DMARC1; p=reject; adkim=S; aspf=R" + RUA,
        "unknowntag": "v=DMARC1; p=reject; zz=1" + RUA,
        "blanktags": "v = DMARC1 ; p = reject ; rua = mailto:d@%%",
        "sizedrua": "v=DMARC1; p=reject; rua=mailto:d@%%!10m",
    }
    none = {
        "lowerversion": "v=dmarc1; p=reject" + RUA,
        "commadmarc": "v=DMARC1, p=reject" + RUA,
        "nosemicolon": "v=DMARC1 p=reject" + RUA,
        "version2": "v=DMARC2; p=reject" + RUA,
        "blankdmarc": " v=DMARC1; p=reject" + RUA,
    }
    return (
        [case(name, "", dmarc=text) for name, text in good.items()]
        + [case(name, "dmarc", dmarc=text) for name, text in none.items()]
        + [
            case("ptypo", "dmarc-syntax dmarc-policy", dmarc="v=DMARC1; p=quarentine" + RUA),
            case("pempty", "dmarc-syntax dmarc-policy", dmarc="v=DMARC1; p=" + RUA),
            case("foodd", "dmarc-syntax", dmarc="v=DMARC1; p=reject; fo=x; ruf=mailto:d@%%" + RUA),
            case("ruasecond", "dmarc-syntax", dmarc="v=DMARC1; p=reject; rua=mailto:d@%%,e@%%"),
            case("rufwrong", "dmarc-syntax", dmarc="v=DMARC1; p=reject; ruf=f@%%" + RUA),
            case("ruanobody", "dmarc-syntax dmarc-reports", dmarc="v=DMARC1; p=reject; rua=mailto:%%"),
            case("rufonly", "dmarc-reports", dmarc="v=DMARC1; p=reject; ruf=mailto:d@%%"),
            case("spweaker", "dmarc-subdomains", dmarc="v=DMARC1; p=reject; sp=quarantine" + RUA),
            case("npweaker", "dmarc-subdomains", dmarc="v=DMARC1; p=reject; np=quarantine" + RUA),
            case("threedmarc", "dmarc", dmarc=["v=DMARC1; p=reject" + RUA, "v=DMARC1; p=reject", "v=DMARC1; p=none"]),
            case("dmarcapex", "dmarc", dmarc=None, more='@ TXT "v=DMARC1; p=reject; rua=mailto:d@%%"'),
            case("dmarcplain", "dmarc", dmarc=None, more='dmarc TXT "v=DMARC1; p=reject; rua=mailto:d@%%"'),
            case("dmarcdoubled", "dmarc", dmarc=None, more='_dmarc.%% TXT "v=DMARC1; p=reject; rua=mailto:d@%%"'),
            case("agreed", "", dmarc="v=DMARC1; p=reject; rua=mailto:d@agrees.provider.example"),
            case("twoexternal", "dmarc-external", dmarc="v=DMARC1; p=reject; rua=mailto:d@%%,mailto:x@provider.example"),
        ]
    )


def dkim(case):
    wrong = {
        "wrongk": RSA.replace("k=rsa", "k=ed25519"),
        "edasrsa": ED25519.replace("k=ed25519", "k=rsa"),
        "edshort": ED25519[:-8] + "==",
        "halfkey": "v=DKIM1; k=rsa; p=" + KEY[: len(KEY) // 2],
        "dkim2": RSA.replace("DKIM1", "DKIM2"),
        "latev": "k=rsa; v=DKIM1; p=" + KEY,
        "nop": "v=DKIM1; k=rsa",
        "quotedkey": "v=DKIM1; k=rsa; p='" + KEY + "'",
        "pemkey": "v=DKIM1; k=rsa; p=-----BEGIN PUBLIC KEY-----" + KEY + "-----END PUBLIC KEY-----",
        "twicep": "v=DKIM1; k=rsa; p=" + KEY + "; p=" + KEY,
    }
    good = {
        "edkey": ED25519,
        "strictkey": RSA.replace("k=rsa", "k=rsa; t=s"),
        "bothhashes": RSA.replace("k=rsa", "k=rsa; h=sha1:sha256"),
        "services": RSA.replace("k=rsa", "k=rsa; s=email:tlsrpt"),
        "anyservice": RSA.replace("k=rsa", "k=rsa; s=*"),
        "barekey": "p=" + KEY,
        "foldedkey": "v=DKIM1; k=rsa; p=" + KEY[:100] + " " + KEY[100:],
        "notedkey": RSA.replace("k=rsa", "k=rsa; n=key of 2026"),
    }
    return (
        [case(name, "dkim", dkim=text) for name, text in wrong.items()]
        + [case(name, "", dkim=text) for name, text in good.items()]
        + [
            case("revokedkey", "", dkim="v=DKIM1; p=", untested="dkim"),
            case("twokeys", "dkim", dkim=[RSA, keys.record("rsa", "two")]),
            case("testedstrict", "dkim", dkim=RSA.replace("k=rsa", "k=rsa; t=s:y")),
        ]
    )


def transport(case, sts, file):
    digest = "ab" * 31
    policies = {
        "stsnoage": "version: STSv1\nmode: enforce\nmx: mx.%%\n",
        "stsbigage": file("enforce", age=31557601),
        "stswordage": file("enforce", age="week"),
        "stsmode": file("enforced"),
        "stsv2": file("enforce").replace("STSv1", "STSv2"),
        "stsnocolon": file("enforce").replace("mode: ", "mode "),
        "stsbadmx": file("enforce", mx="mx..%%"),
        "stsinnerstar": file("enforce", mx="mx.*.%%"),
        "stshtml": "<html><body>Not found</body></html>",
        "stsbig": file("enforce") + "note: " + "x" * 70000 + "\n",
    }
    records = {"stsnoid": "v=STSv1;", "stslongid": "v=STSv1; id=" + "1" * 33, "stsemptyid": "v=STSv1; id=", "stsnosemi": "v=STSv1 id=1"}
    answers = {"stsmoved": "301 Moved Permanently", "stsfails": "500 Internal Server Error", "ststype": "200 OK text/html"}
    reports = {
        "rptempty": "v=TLSRPTv1;",
        "rpthttp": "v=TLSRPTv1; rua=http://%%/report",
        "rptblank": " v=TLSRPTv1; rua=mailto:t@%%",
        "rptlower": "v=tlsrptv1; rua=mailto:t@%%",
    }
    return (
        [sts(name, "mta-sts-valid", sts_file=text) for name, text in policies.items()]
        + [sts(name, "mta-sts-valid", sts=text) for name, text in records.items()]
        + [sts(name, "mta-sts-valid", sts_answer=status) for name, status in answers.items()]
        + [case(name, "tls-rpt", tlsrpt=text) for name, text in reports.items()]
        + [
            sts("stsextra", "", sts_file=file("enforce") + "extra: 1\n"),
            sts("stsupper", "", sts_file=file("enforce", mx="MX.%%")),
            sts("stsstarhigh", "mta-sts-mx", sts_file=file("enforce", mx="*.example")),
            sts("stsotherhost", "mta-sts-mx", mx="@ MX 10 mx\n@ MX 20 mail.provider.example."),
            sts("stschain", "mta-sts-mx", cert={"below": {"kind": "ec"}, "chain": False}),
            sts("stsname", "mta-sts-mx", cert_name="www.provider.example"),
            case("rpthttps", "", tlsrpt="v=TLSRPTv1; rua=https://reports.provider.example/tls"),
            case("rptboth", "", tlsrpt="v=TLSRPTv1; rua=mailto:t@%%,https://reports.provider.example/tls"),
            case("rptelsewhere", "tls-rpt", tlsrpt=None, more='_tls TXT "v=TLSRPTv1; rua=mailto:t@%%"'),
            case("shortdigest", "dane-usable", tlsa=["3 1 1 " + digest]),
            case("longdigest", "dane-usable", tlsa=["3 1 2 {own}"]),
            case("fullkey", "", tlsa=["3 1 0 {key}"]),
            case("fullcert", "", tlsa=["3 0 0 {cert}"]),
            case("certdigest", "", tlsa=["3 0 1 {certdigest}"]),
            case("besideunusable", "", tlsa=["3 1 1 {own}", "1 1 1 {own}", "3 1 1 " + digest]),
            case("authoritymissing", "dane-match", tlsa=["2 1 1 {ca}"], cert={"chain": False}),
            case("authorityname", "dane-match cert-name", tlsa=["2 1 1 {ca}"], cert_name="www.provider.example"),
            case("leafasauthority", "dane-match", tlsa=["2 1 1 {own}"]),
            case("authorityasleaf", "dane-match", tlsa=["3 1 1 {ca}"]),
            case("otherport", "dane mta-sts", tlsa=[], more="_465._tcp.mx TLSA 3 1 1 " + "ab" * 32),
            case("onlynext", "dane-match", tlsa=["3 1 1 " + "cd" * 32, "3 1 1 " + "ef" * 32]),
        ]
    )


def hosts(case, plain, servers):
    return [
        case("implicit", "", mx="", apex=True, host=False, cert_name="%%"),
        case("ptrother", "mx-ptr", ptr="www.provider.example"),
        case("ptrgone", "mx-ptr", ptr="gone.provider.example"),
        case("wildonly", "caa", caa=False, more='@ CAA 0 issuewild "ca.example"'),
        case("caatypo", "caa", caa=False, more='@ CAA 0 isue "ca.example"'),
        case("caacritical", "", caa=False, more='@ CAA 128 issue "ca.example"'),
        plain("nochain", "", cert={"below": {"kind": "ec"}, "chain": False}),
        plain("rsa1536", "cert-key", cert={"kind": "rsa1536"}, tls={"level": 1}),
        plain("sixdays", "cert-dates", cert={"end": 6}),
        plain("eightdays", "", cert={"end": 8}),
        plain("starcert", "", cert_name="*.%%"),
        plain("partstar", "cert-name", cert_name="m*.%%"),
        plain("starhigh", "cert-name", cert_name="*.example"),
        case("goodrsa", "", cert={"kind": "rsa2048"}),
        case("differdmarc", "ns-agree", servers=servers, other=lambda text: text.replace("rua=mailto:dmarc@", "rua=mailto:other@")),
        case("differcaa", "ns-agree", servers=servers, other=lambda text: text.replace("ca.example", "other.example")),
        case("differkey", "ns-agree", servers=servers, other=lambda text: text.replace("; p=", ";p =")),
        case("unsignedserver", "ns-agree", servers=servers, other=lambda text: text, zone={"other_unsigned": True}),
        case("nomxsig", "dnssec-valid", zone={"strip": "MX"}),
        case("nodmarcsig", "dnssec-valid", zone={"strip": "TXT _dmarc"}),
        case("nokeysig", "dnssec-valid", zone={"strip": "DNSKEY"}),
        case("otherds", "dnssec-valid", zone={"ds_algorithm": 8}),
        case("othertag", "dnssec-valid", zone={"ds_tag": True}),
        case("mxsixsig", "dnssec-mx", zone={"strip": "AAAA mx"}, cap="F"),
        case("ed448", "", zone={"algorithm": "ED448"}),
    ]


def pairs(case, plain, sts, file):
    return [
        case("pair1", "spf-syntax dmarc", spf="v=spf1 mx ip4:192.0.2.0/33 -all", dmarc="v=dmarc1; p=reject"),
        case("pair2", "spf-lookups dkim", spf="v=spf1 " + "mx " * 11 + "-all", dkim="v=DKIM1; k=rsa"),
        case("pair3", "spf dmarc-subdomains", spf="v=spf10 -all", dmarc="v=DMARC1; p=reject; sp=quarantine" + RUA),
        case("pair4", "dane-match tls-rpt", tlsa=["3 1 1 {ca}"], tlsrpt="v=TLSRPTv1;"),
        case("pair5", "dane-usable caa", tlsa=["3 1 2 {own}"], caa=False),
        case("pair6", "mx-ptr dmarc-external", ptr="gone.provider.example", dmarc="v=DMARC1; p=reject; rua=mailto:x@provider.example"),
        case("pair7", "mx-ipv6 spf-void", aaaa=False, spf="v=spf1 mx exists:g1.%% exists:g2.%% exists:g3.%% -all"),
        case("pair8", "tls-old dkim", flaw="tls11", dkim=RSA.replace("k=rsa", "k=rsa; h=sha1")),
        case("pair9", "tls-exchange dmarc-reports", flaw="dh1024", dmarc="v=DMARC1; p=reject"),
        case("pair10", "tls-ems spf-ptr", flaw="no-ems", spf="v=spf1 mx ptr -all"),
        case("pair11", "dnssec-nsec3 dmarc-policy", zone={"nsec3": (3, "ab")}, dmarc="v=DMARC1; p=none" + RUA),
        case("pair12", "dnssec-expiry tls-rpt", zone={"begin": -12, "end": 2}, tlsrpt=None),
        case("pair13", "dnssec-digest caa", zone={"sha1_ds": True}, caa=False),
        sts("pair14", "mta-sts-valid spf-policy", sts="v=STSv1; id=", spf="v=spf1 mx ?all"),
        sts("pair15", "mta-sts-mode dkim", sts_file=file("testing"), dkim=None),
        plain("pair16", "cert-name spf-wide", cert_name="x.%%.example", spf="v=spf1 mx ip4:10.0.0.0/8 -all"),
        plain("pair17", "cert-dates caa", cert={"end": 2}, caa=False),
        case("pair18", "mx-host dmarc-syntax", mx="@ MX 10 mx\n@ MX 20 gone", dmarc="v=DMARC1; p=reject; aspf=x" + RUA),
        case("pair19", "starttls dane-match spf", manner="plain", spf=None),
        case("pair20", "spf-everybody dmarc-policy", spf="v=spf1 +all", dmarc="v=DMARC1; p=none" + RUA),
    ]
