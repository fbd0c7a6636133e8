# SPDX-License-Identifier: BSD-2-Clause
"""cases_met: domains as they are met on the internet: name servers that sign each answer, delegations that lead nowhere, records by
alias or wildcard, several names at one address, certificates of six days. Most of them are in order, however odd they look."""
import keys  # tests/world

RSA = keys.record("rsa")
RUA = "; rua=mailto:d@%%"
OTHER = "mail.provider.example"


def dns(case, servers):
    """DNSSEC and name servers."""
    return [
        # Signed when asked: a day before until a day after, or some hours.
        case("onlinesigned", "", zone={"begin": -1, "end": 1}),
        case("hourssigned", "", zone={"begin": -0.1, "end": 0.2}),
        case("weeksigned", "", zone={"begin": -4, "end": 2.9}),
        case("lateweek", "dnssec-expiry", zone={"begin": -6, "end": 1.2}),
        case("p384", "", zone={"algorithm": "ECDSAP384SHA384"}),
        case("rsa4096", "", zone={"algorithm": "RSASHA256", "bits": 4096}),
        case("manyiterations", "dnssec-nsec3", zone={"nsec3": (151, "")}),
        case("nsgone", "ns-answer", servers=servers + [("nsgone.host.example.", (None, None))]),
        case("onlysix", "ns-answer", servers=[(f"nssix{n}.host.example.", (None, servers[n - 1][1][1])) for n in (1, 2)]),
        # RFC 2181 10.3, RFC 2182 section 5; an IPv4 address in the form of an IPv6 one (RFC 4291 2.5.5.2) is none.
        case("nsalias", "ns-answer", servers=servers + [("nsa.nsalias.example.", servers[0][1])], more="nsa CNAME ns1.host.example."),
        case(
            "nsonehost",
            "ns-count",
            servers=[(f"{n}.nsonehost.example.", servers[0][1]) for n in ("nsa", "nsb")],
            more="\n".join(f"{n} A {servers[0][1][0]}\n{n} AAAA {servers[0][1][1]}" for n in ("nsa", "nsb")),
        ),
        case(
            "nsmapped",
            "ns-ipv6",
            servers=servers[:1] + [("nsb.nsmapped.example.", (servers[1][1][0], None))],
            more=f"nsb A {servers[1][1][0]}\nnsb AAAA ::ffff:{servers[1][1][0]}",
        ),
        case("threeservers", "", servers=servers + [("nsfour.host.example.", ("198.51.100.4", None))]),
    ]


def texts(case, sts, file):
    """SPF, DMARC, DKIM, MTA-STS and TLS-RPT."""
    networks = " ".join(f"ip4:25.25.25.{i}" for i in range(2, 20))
    return [
        case("spfalias", "", spf="v=spf1 mx include:spfalias.provider.example -all"),
        case("spfroot", "", spf="v=spf1 mx include:spf.provider.example. -all"),
        case("spfutf8", "spf-syntax", spf=None, more='@ TXT "v=spf1 mx include:b\\195\\188cher.example -all"'),
        case("spfparts", "", spf=f"v=spf1 mx {networks} -all"),
        case("spfzero", "spf-syntax", spf="v=spf1 mx ip4:192.0.2.010 -all"),
        case("spfitself", "spf-syntax spf-lookups", spf="v=spf1 mx redirect=%%"),
        case("spfmacroinclude", "spf-syntax", spf="v=spf1 mx include:%{d2}.spf.provider.example -all"),
        case("spfptrinside", "spf-ptr", spf="v=spf1 mx include:inc.%% -all", more='inc TXT "v=spf1 ptr -all"'),
        case("spfnomx", "", spf="v=spf1 mx mx:plain.%% -all", more="plain A 25.25.25.2"),
        case("wildcard", "tls-rpt", tlsrpt=None, more='* TXT "v=spf1 -all"'),
        case("wildcarddmarc", "dmarc", dmarc=None, more='* TXT "v=spf1 -all"'),
        case("dmarcalias", "", dmarc=None, more='_dmarc CNAME dm\ndm TXT "v=DMARC1; p=reject; rua=mailto:d@%%"'),
        case("dmarcpsd", "", dmarc="v=DMARC1; p=reject; psd=n" + RUA),
        case("dmarcpsdx", "dmarc-syntax", dmarc="v=DMARC1; p=reject; psd=x" + RUA),
        case("dmarcnp", "dmarc-subdomains", dmarc="v=DMARC1; p=reject; sp=reject; np=none" + RUA),
        case("dmarctest", "dmarc-policy", dmarc="v=DMARC1; p=quarantine; t=y" + RUA),
        case("ruaweb", "dmarc-reports", dmarc="v=DMARC1; p=reject; rua=https://reports.%%/dmarc"),
        case("dmarcblank", "", dmarc="v=DMARC1; p=reject; rua=mailto:d@%%, mailto:e@%%"),
        case("dmarccase", "", dmarc="v=DMARC1; P=Reject; RUA=MAILTO:d@%%"),
        # Below an organisation whose record holds for it.
        case("org", "", dmarc="v=DMARC1; p=reject; rua=mailto:d@%%"),
        case("sub.org", "", dmarc=None),
        case("weakorg", "dmarc-subdomains", dmarc="v=DMARC1; p=reject; sp=none; rua=mailto:d@%%"),
        case("sub.weakorg", "dmarc-policy", dmarc=None),
        case("key1024", "dkim", dkim=keys.record("rsa1024")),
        case("key4096", "", dkim=keys.record("rsa4096")),
        case("keyalias", "", dkim=None, more=f"sel._domainkey CNAME key\nkey TXT {keys.txt(RSA)}"),
        case("keywild", "", dkim=None, more='*._domainkey TXT "v=DKIM1; p="', untested="dkim"),
        sts("stsalias", "", sts=None, more='_mta-sts CNAME st\nst TXT "v=STSv1; id=20260101"'),
        sts("stsolddays", "mta-sts-valid", sts_expired=True),
        sts("stszero", "mta-sts-mode", sts_file=file("enforce", age=0)),
        sts("stsfull", "", sts_file=file("enforce", age=31557600)),
        case("rptalias", "", tlsrpt=None, more='_smtp._tls CNAME rp\nrp TXT "v=TLSRPTv1; rua=mailto:t@%%"'),
    ]


def hosts(case, plain, sts):
    """Mail hosts, their certificates and TLSA records."""
    return mx(case) + manners(case) + certificates(plain, sts) + tlsa(case) + names_of_one_address(case, plain)


def mx(case):
    return [
        case("mappedmx", "mx-ipv6", aaaa=False, more="mx AAAA ::ffff:25.25.25.2"),
        case("localmx6", "mx-ipv6", aaaa=False, more="mx AAAA fd00::25", untested="mx-ipv6-reach"),
        case("urlmx", "mx-host", mx="@ MX 10 mx\n@ MX 20 http:\\/\\/mx."),
        case("capitalmx", "", mx="@ MX 10 MX.%%."),
        case("samepreference", "", mx=f"@ MX 10 mx\n@ MX 10 {OTHER}."),
        case("localmx", "mx-host", mx="@ MX 10 mx\n@ MX 20 localhost."),
        case(
            "parked",
            "spf dmarc dkim dane mta-sts tls-rpt",
            mx="",
            apex=True,
            host=False,
            closed=True,
            **{key: None for key in ("spf", "dmarc", "dkim", "tlsrpt", "tlsa")},
        ),
        # It sends nothing, and nobody listens at the address of its page: it takes no mail, and is to say so.
        case(
            "parkedplainly",
            "mx",
            mx="",
            apex=True,
            host=False,
            closed=True,
            spf="v=spf1 -all",
            dmarc="v=DMARC1; p=reject; sp=reject; np=reject; rua=mailto:d@%%",
            **{key: None for key in ("dkim", "tlsrpt", "tlsa")},
        ),
    ]


def manners(case):
    return [
        # What a host does to us alone is no fault of it, though its neighbour answers.
        case("slowmx", "", mx=f"@ MX 10 mx\n@ MX 20 {OTHER}.", manner="silent"),
        case("hangupmx", "", mx=f"@ MX 10 mx\n@ MX 20 {OTHER}.", manner="close"),
        case("refusingmx", "", mx=f"@ MX 10 mx\n@ MX 20 {OTHER}.", manner="554"),
        case("unwelcome", "", manner="refused"),
        case("noehlo", "starttls dane-match", manner="old"),
        case("capitals", "", manner="capitals"),
        case("greetinglines", "", manner="lines"),
        case("onlytls10", "tls-version tls-old", flaw="only-tls10"),
        case("onlybroken", "tls-ciphers", flaw="only-broken"),
    ]


def certificates(plain, sts):
    return [
        plain("commonname", "cert-name", cert={"no_name": True}),
        sts("stscommonname", "mta-sts-mx", cert={"no_name": True}),
        plain("selfsigned", "", cert={"own": True, "chain": False}),
        sts("stsselfsigned", "mta-sts-mx", cert={"own": True, "chain": False}),
        sts("stsoddorder", "", cert={"below": {"kind": "ec"}, "odd": True}),
        plain("sixdaycert", "", cert={"begin": -2, "end": 4}),
        plain("lastdaycert", "cert-dates", cert={"begin": -5, "end": 1}),
    ]


def tlsa(case):
    return [
        case("issuername", "", tlsa=["2 1 1 {ca}"], cert_name="%%"),
        case("certaskey", "dane-usable", tlsa=["3 1 0 {cert}"]),
        case("tlsaalias", "", tlsa_owners=["dane"], more="_25._tcp.mx CNAME dane"),
        case("tlsawild", "", tlsa_owners=["*._tcp.mx"]),
        case("tlsa512", "", tlsa=["3 1 2 {own512}"]),
    ]


def names_of_one_address(case, plain):
    names = [f"mx{i}" for i in range(1, 12)]
    twelve = "\n".join(f"{n} A %4\n{n} AAAA %6" for n in names)
    three = "@ MX 10 mx\n@ MX 10 mx2\n@ MX 20 mx3"
    return [
        case(
            "threenames",
            "",
            mx=three,
            more="mx2 A %4\nmx2 AAAA %6\nmx3 A %4\nmx3 AAAA %6",
            tlsa_owners=[f"_25._tcp.{n}" for n in ("mx", "mx2", "mx3")],
        ),
        case(
            "onenamewrong",
            "dane-match cert-name",
            mx=three,
            more="mx2 A %4\nmx2 AAAA %6\nmx3 A %4\nmx3 AAAA %6\n_25._tcp.mx3 TLSA 3 1 1 " + "ab" * 32,
            tlsa_owners=["_25._tcp.mx", "_25._tcp.mx2"],
        ),
        plain(
            "twelvenames",
            "",
            mx="\n".join(f"@ MX {i} {n}" for i, n in enumerate(["mx"] + names)),
            more=twelve,
            cert_name="*.%%",
            spf="v=spf1 ip4:%4 ip6:%6 -all",
        ),
    ]
