# SPDX-License-Identifier: BSD-2-Clause
"""cases_outside: what was found by planting faults without a look at the other cases: real servers in place of answers that are made
up, what the parent zone says, and records that are somebody else's."""
import ssl

import keys  # tests/world


def all_of_them(case, plain, servers, no_tcp):
    return name_servers(case, servers, no_tcp) + texts(case) + hosts(case)


def name_servers(case, servers, no_tcp):
    return [
        # RFC 1034 4.2.2: NS records on both sides of the cut.
        case("parentmore", "ns-agree", zone={"parent_servers": servers + [("ns5.host.example.", None)]}),
        case("parentother", "ns-agree", zone={"parent_servers": servers[:1] + [("ns5.host.example.", None)]}),
        case("parentless", "ns-agree", zone={"parent_servers": servers[:1]}),
        case("parentorder", "", zone={"parent_servers": servers[::-1]}),
        case("parentcase", "", zone={"parent_servers": [(name.upper(), pair) for name, pair in servers]}),
        # RFC 7766 section 5, RFC 9210 section 3.
        case("notcp", "ns-answer", servers=servers[:1] + [("ns10.host.example.", no_tcp)]),
    ]


def texts(case):
    busy = {"sts": "v=STSv1; id=1", "sts_file": "version: STSv1\nmode: enforce\nmx: mx.%%\nmax_age: 604800\n"}
    weak = keys.record("rsa1024").replace("p=", "t=y; p=")
    return [
        # RFC 7208 4.6.4: terms that find nothing, whatever it is that they look up last.
        case(
            "voidmx", "spf-void", spf="v=spf1 mx mx:g1.%% mx:g2.%% mx:g3.%% -all", more="\n".join(f"g{i} MX 10 h{i}" for i in (1, 2, 3))
        ),
        case(
            "halfvoidmx",
            "",
            spf="v=spf1 mx mx:g1.%% mx:g2.%% mx:g3.%% -all",
            more="\n".join(f"g{i} MX 10 h{i}\ng{i} MX 20 mx" for i in (1, 2, 3)),
        ),
        case("foreignall", "spf-everybody", spf="v=spf1 mx include:everybody.provider.example -all"),
        case("weaktesting", "dkim", dkim=weak),
        # RFC 9110 15.6.4, RFC 6585 section 4.
        case("sts503", "", sts_answer="503 Service Unavailable", untested="mta-sts-valid", **busy),
        case("sts429", "", sts_answer="429 Too Many Requests", untested="mta-sts-valid", **busy),
    ]


def hosts(case):
    return [
        # Whether the domain uses DANE cannot be told where its one mail server has no address.
        case("noaddress", "mx-host", mx="@ MX 10 gone", more="_25._tcp.gone TLSA 3 1 1 " + "ab" * 32),
        # What answers an offer of TLS 1.2 with an older version has not accepted it.
        case("realtls11", "tls-version tls-old", tls={"ciphers": "ECDHE+AES", "level": 0, "only": ssl.TLSVersion.TLSv1_1}),
        # Who has no better cipher cannot prefer it.
        case("onlyphaseout", "", tls={"ciphers": "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256", "tls13": False}),
        case(
            "realorder",
            "tls-order",
            tls={
                "ciphers": "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256",
                "tls13": False,
            },
        ),
    ]
