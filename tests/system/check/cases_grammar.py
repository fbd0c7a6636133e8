# SPDX-License-Identifier: BSD-2-Clause
"""cases_grammar: records that leave the grammar of their RFC by one octet, beside forms that only look odd; and hosts and names that
are met seldom."""
import keys  # tests/world

RSA, ED25519 = keys.record("rsa"), keys.record("ed25519")
KEY = RSA.split("p=")[1]
RUA = "; rua=mailto:d@%%"


def spf(case):
    nine = " ".join(f"a:a{i}.provider.example" for i in range(9))
    texts = {
        "spfcapitals": ("", "v=spf1 MX A:MX.%% -ALL"),
        "spftab": ("spf", "v=spf1\tmx -all"),
        "spfzeros6": ("spf-syntax", "v=spf1 mx ip6:2001:db8::/032 -all"),
        "spfport": ("spf-syntax", "v=spf1 mx ip4:25.25.25.2:25 -all"),
        "spften": ("", f"v=spf1 mx {nine} -all"),
        "spfeleven": ("spf-lookups", f"v=spf1 mx {nine} redirect=spf.provider.example"),
        "spfdelimiters": ("", "v=spf1 mx exists:%{l1r-}.%{d2}.x.provider.example -all"),
        "spfletter": ("spf-syntax", "v=spf1 mx exists:%{c}.%% -all"),
        "spfsemicolon": ("spf-syntax", "v=spf1 mx -all;"),
        "spfallname": ("spf-syntax", "v=spf1 mx all:foo.example"),
        "spfthird6": ("spf-everybody", "v=spf1 mx ip6:2000::/3 -all"),
        "spfbareall": ("spf-everybody", "v=spf1 mx all"),
        "spfallfirst": ("spf-policy", "v=spf1 mx ?all redirect=spf.provider.example"),
        "spfquotes": ("spf", '"v=spf1 mx -all"'),
        "spfmacrogone": ("spf-syntax", "v=spf1 mx include:_spf.%{d} -all"),
    }
    inc = {
        "spfmacroall": ("spf-everybody", "v=spf1 mx include:_spf.%{d} -all", '_spf TXT "v=spf1 +all"'),
        "spfmacroterms": ("spf-lookups", "v=spf1 mx include:_spf.%{D} -all", f'_spf TXT "v=spf1 {nine} -all"'),
        "spfmacroredirect": ("", "v=spf1 redirect=_spf.%{o}", '_spf TXT "v=spf1 mx:%% -all"'),
        "spfmacroopen": ("spf-policy", "v=spf1 redirect=_spf.%{d}", '_spf TXT "v=spf1 mx:%%"'),
        "spfexpinside": ("", "v=spf1 mx include:inc.%% -all", 'inc TXT "v=spf1 ip4:25.25.25.2 -all exp=foo..example"'),
        "spfexpredirect": ("spf-syntax", "v=spf1 redirect=inc.%%", 'inc TXT "v=spf1 mx:%% -all exp=foo..example"'),
        "spfdname": ("", "v=spf1 mx include:sub.dn.%% -all", 'dn DNAME tgt\nsub.tgt TXT "v=spf1 ip4:25.25.25.2 -all"'),
        "spfvoidinside": ("spf-void", "v=spf1 mx include:inc.%% a:g1.%% -all", 'inc TXT "v=spf1 a:g2.%% a:g3.%% -all"'),
        "spfmxless": ("spf-void", "v=spf1 mx mx:p1.%% mx:p2.%% mx:p3.%% -all", "p1 A %4\np2 A %4\np3 A %4"),
        "spfsplit": ("", None, '@ TXT "v=spf1 m" "x -a" "ll"'),
    }
    return [case(name, expect, spf=text) for name, (expect, text) in texts.items()] + [
        case(name, expect, spf=text, more=more) for name, (expect, text, more) in inc.items()
    ]


def dmarc(case):
    texts = {
        "dmarcdoubled2": ("dmarc-syntax", "v=DMARC1;; p=reject" + RUA),
        "dmarcword": ("dmarc-syntax", "v=DMARC1; p=reject; reject" + RUA),
        "dmarcnovalue": ("dmarc-syntax", "v=DMARC1; p=reject; rua=mailto:d@%%; ruf"),
        "dmarcends": ("dmarc-syntax", "v=DMARC1; p=reject; rua=mailto:d@%%;;"),
        "dmarcend": ("", "v=DMARC1; p=reject; rua=mailto:d@%% ; "),
        "dmarccomma": ("dmarc-syntax", "v=DMARC1; p=reject; rua=mailto:d@%%,"),
        "dmarcquotes": ("dmarc-syntax dmarc-policy", 'v=DMARC1; p="reject"' + RUA),
        "dmarcfoboth": ("dmarc-syntax", "v=DMARC1; p=reject; fo=0:1; ruf=mailto:d@%%" + RUA),
        "dmarcfogood": ("", "v=DMARC1; p=reject; fo=1:d:s; ruf=mailto:d@%%" + RUA),
        "dmarcbeside": ("", ["v=DMARC1; p=reject" + RUA, "v=spf1 -all"]),
    }
    return [case(name, expect, dmarc=text) for name, (expect, text) in texts.items()] + [
        case("dmarcsplit", "", dmarc=None, more='_dmarc TXT "v=DMARC1; p=re" "ject; rua=mailto:d@%%"'),
        case("dmarcgone", "dmarc", dmarc=None, more="_dmarc CNAME gone.provider.example."),
    ]


def dkim(case):
    strings = " ".join(f'"{RSA[i : i + 7]}"' for i in range(0, len(RSA), 7))
    texts = {
        "edlong": ("dkim", ED25519[:-4] + "AAAA" + ED25519[-4:]),
        "keymarks": ("dkim", "v=DKIM1; k=rsa; p=!!!" + KEY),
        "keyends": ("dkim", RSA + ";;"),
        "keyend": ("", RSA + ";"),
        "keyhash": ("dkim", "v=DKIM1; k=rsa; h=sha512; p=" + KEY),
        "keyunknown": ("", "v=DKIM1;k=rsa;x=1;p=" + KEY),
    }
    return [case(name, expect, dkim=text) for name, (expect, text) in texts.items()] + [
        case("keygone", "dkim", dkim=None, more="sel._domainkey CNAME gone.provider.example."),
        case("keystrings", "", dkim=None, more=f"sel._domainkey TXT {strings}"),
    ]


def transport(case, sts, file):
    """RFC 8460, RFC 8461, RFC 8659."""
    reports = {
        "rptcomma": ("tls-rpt", "v=TLSRPTv1; rua=mailto:t@%%,"),
        "rptfirst": ("tls-rpt", "v=TLSRPTv1; rua=,mailto:t@%%"),
        "rptgap": ("tls-rpt", "v=TLSRPTv1; rua=mailto:t@%%,,mailto:u@%%"),
        "rptsize": ("tls-rpt", "v=TLSRPTv1; rua=mailto:t@%%!10m"),
        "rptpercent": ("tls-rpt", "v=TLSRPTv1; rua=mailto:t%zz@%%"),
        "rptencoded": ("", "v=TLSRPTv1; rua=mailto:t%2cx@%%"),
        "rptblanks": ("", "v=TLSRPTv1 ; rua=mailto:t@%% , https://reports.provider.example/x ;"),
    }
    policies = {
        "stsmark": ("mta-sts-valid", "\ufeff" + file("enforce")),
        "stsonlycr": ("mta-sts-valid", file("enforce").replace("\n", "\r")),
        "stslist": ("mta-sts-valid", file("enforce", mx="mx.%%, mx2.%%")),
        "stsdot": ("mta-sts-valid", file("enforce", mx=".%%")),
        "stsbelow": ("mta-sts-mx", file("enforce", mx="*.mx.%%")),
        "stsblanks": ("", file("enforce").replace("\n", "  \n")),
        "stsorder": ("", "max_age: 604800\nmx: mx.%%\nmode: enforce\nversion: STSv1\n"),
        "stslastline": ("", file("enforce").rstrip("\n")),
    }
    issuers = {
        "caaunknown": ("caa", '@ CAA 0 issue "ca.example"\n@ CAA 128 tbs "Unknown"'),
        "caaurl": ("caa", '@ CAA 0 issue "https://ca.example/"'),
        "caalist": ("caa", '@ CAA 0 issue "ca.example, other.example"'),
        "caamailonly": ("caa", '@ CAA 0 issuemail "ca.example"'),
        "caamail": ("", '@ CAA 0 issue "ca.example"\n@ CAA 128 issuemail ";"'),
        "caaaccount": ("", '@ CAA 0 issue "ca.example; accounturi=https://ca.example/acct/1"'),
        "caastrange": ("", '@ CAA 0 issue "ca.example"\n@ CAA 0 tbs "Unknown"'),
    }
    return (
        [case(name, expect, tlsrpt=text) for name, (expect, text) in reports.items()]
        + [sts(name, expect, sts_file=text) for name, (expect, text) in policies.items()]
        + [case(name, expect, caa=False, more=more) for name, (expect, more) in issuers.items()]
        + [
            sts("stsotherversion", "mta-sts-valid", sts="V=STSv1; id=1"),
            sts(
                "stsdeep",
                "mta-sts-mx",
                mx="@ MX 10 mx.sub",
                more="mx.sub A %4\nmx.sub AAAA %6",
                cert_name="mx.sub.%%",
                tlsa_owners=["_25._tcp.mx.sub"],
                sts_file=file("enforce", mx="*.%%"),
                ptr="mx.sub.stsdeep.example",
            ),
        ]
    )


def hosts(case, plain):
    """Mail hosts, their TLSA records, and what they say to STARTTLS."""
    other = "mx2 A %4\nmx2 AAAA %6"
    return [
        case("mxthrice", "", mx="@ MX 10 mx\n@ MX 20 mx\n@ MX 30 mx"),
        case("mxsix", "mx-host", a=False),
        case("mxbrackets", "mx-host", mx="@ MX 10 mx\n@ MX 20 [25.25.25.2]"),
        case("mxaliasgone", "mx-host", mx="@ MX 10 mx\n@ MX 20 alias", more="alias CNAME gone.provider.example."),
        case("halfpinned", "dane", mx="@ MX 10 mx\n@ MX 20 mx2", more=other, cert_name="*.%%"),
        case("pinnedold", "", cert={"begin": -90, "end": -3}),
        case("pinnedother", "", cert_name="www.provider.example"),
        case("authorityold", "dane-match cert-dates", tlsa=["2 1 1 {ca}"], cert={"begin": -91, "end": -3}),
        case("eitherpinned", "", tlsa=["3 1 1 {own}", "2 1 1 " + "11" * 32]),
        case("unusablebeside", "dane-match", tlsa=["1 1 1 {own}", "3 1 1 " + "11" * 32]),
        case("rootnotsent", "dane-match", tlsa=["2 1 1 {ca}"], cert={"below": {"kind": "ec"}}),
        case("nottls13", "", tls={"tls13": False}),
        case("refuses454", "starttls dane-match", manner="454"),
        case("refuses501", "starttls dane-match", manner="501"),
        case("ends421", "", manner="421 at STARTTLS", untested="starttls dane-match"),
        plain("refusesplain", "starttls", manner="454"),
        case("manynames", "", ptrs=[f"www{i}.provider.example" for i in range(5)]),
    ]
