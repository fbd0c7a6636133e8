# SPDX-License-Identifier: BSD-2-Clause
"""internet - who there is in the private internet of the tests, and what each says in DNS.

Addresses: 192.0.2.x are other people's mail servers, 198.51.100.x name servers, 203.0.113.x our own house (.1 the mail server, .2 the
backup, .53 the resolver), 192.0.2.66 whoever forges. Every domain is named after what is the matter with it.
"""
import keys

TLSA = "3 1 1 8cb0fc6c527506a053f4f14c8464bebbd6dede2738d11468dd953d7d6a3021f1"


def sender(address, spf=True, dmarc=None, rsa=None, ed25519=None, mx=True, tlsa=False, more=""):
    """The records of a domain that sends mail from `address`. rsa, ed25519: selectors to publish the tests' keys under."""
    lines = [f"@ A {address}", f"mail A {address}"]
    if spf is True:
        lines.append(f'@ TXT "v=spf1 ip4:{address} -all"')
    elif spf:
        lines.append(f'@ TXT "{spf}"')
    if mx:
        lines.append("@ MX 10 mail")
    if tlsa:
        lines.append(f"_25._tcp.mail TLSA {TLSA}")
    if dmarc:
        lines.append(f'_dmarc TXT "v=DMARC1; {dmarc}"')
    if rsa:
        lines.append(f"{rsa}._domainkey TXT {keys.txt(keys.record('rsa'))}")
    if ed25519:
        lines.append(f"{ed25519}._domainkey TXT {keys.txt(keys.record('ed25519'))}")
    return "\n".join(lines + [more])


def reverse(*pairs):
    return "\n".join(f"{'.'.join(reversed(address.split('.')))} PTR {name}." for address, name in pairs)


def internet():
    return [
        (".", "signed", ""),
        ("example", "signed", "ns1.host A 198.51.100.3\nns2.host A 198.51.100.4\nns.nic A 198.51.100.2"),
        ("org", "signed", ""),
        ("arpa", "signed", ""),
        (
            "in-addr.arpa",
            "signed",
            reverse(("192.0.2.10", "mail.bank.example"), ("192.0.2.20", "mail.shop.example"), ("192.0.2.30", "mail.club.example")),
        ),
        # Our own house.
        (
            "example.org",
            "signed",
            """
            @ MX 10 mx
            @ MX 20 backup
            mx A 203.0.113.1
            backup A 203.0.113.2
            @ TXT "v=spf1 ip4:203.0.113.0/24 -all"
            _dmarc TXT "v=DMARC1; p=reject"
            """,
        ),
        # In order: SPF, both kinds of DKIM key, DANE, and a wish that forgeries are refused.
        ("bank.example", "signed", sender("192.0.2.10", dmarc="p=reject", rsa="rsa", ed25519="ed", tlsa=True)),
        (
            "shop.example",
            "signed",
            sender(
                "192.0.2.20",
                dmarc="p=quarantine",
                rsa="rsa",
                more="www A 192.0.2.20\n*.wild A 192.0.2.21\nalias CNAME www.unsigned.example.",
            ),
        ),
        # Small and careless, each in its own way.
        ("club.example", "unsigned", sender("192.0.2.30", spf="v=spf1 a:mail.club.example ?all", dmarc="p=none", ed25519="ed")),
        ("nothing.example", "signed", sender("192.0.2.31", spf=None)),
        # Sends no mail, and says so.
        ("parked.example", "signed", '@ TXT "v=spf1 -all"\n@ MX 0 .\n_dmarc TXT "v=DMARC1; p=reject; sp=reject; np=reject"'),
        # Not signed with DNSSEC: one is asked to be, one is excused, one's excuse has ended.
        ("unsigned.example", "unsigned", sender("192.0.2.40", dmarc="p=none", more="www A 192.0.2.40")),
        ("supplier.example", "unsigned", sender("192.0.2.41", dmarc="p=none", more="www A 192.0.2.41")),
        ("late.example", "unsigned", sender("192.0.2.42", dmarc="p=none", more="www A 192.0.2.42")),
        # Broken DNSSEC.
        ("expired.example", "expired", sender("192.0.2.50", dmarc="p=reject", more="www A 192.0.2.50")),
        ("wrongds.example", "wrong-ds", sender("192.0.2.51", dmarc="p=reject", more="www A 192.0.2.51")),
        # A server that never answers; and a domain in order whose key zone lies on such a server.
        ("silent.example", "dead", ""),
        ("deadkeys.example", "signed", sender("192.0.2.60", dmarc="p=reject")),
        ("_domainkey.deadkeys.example", "dead", ""),
        # A mailing list, and who forges.
        ("lists.example", "signed", sender("192.0.2.80", dmarc="p=none", rsa="rsa")),
        ("attacker.example", "unsigned", sender("192.0.2.66", spf="v=spf1 +all", dmarc="p=none", rsa="rsa")),
    ]


# Records that the resolver tests ask for beyond mail.
QUESTIONS = ("www.shop.example", "www.unsigned.example", "www.supplier.example", "www.expired.example", "www.wrongds.example")
