# SPDX-License-Identifier: BSD-2-Clause
"""mail_world: sender domains with their DNS, and a corpus of mails from them, of which is known what each must yield.

60 of 100 mails are small (2 to 8 kB: text, or text and HTML), 30 medium (20 to 60 kB: text and HTML), 10 large (200 kB to 1 MB: text and
an attachment). Each paragraph of HTML has a style and a link, as in newsletters; a filter that reads texts pays for each link. Half of
the domains are signed with DNSSEC, two are bogus. What a mail must yield comes from how it was made, never from a verifier: "spf=pass",
"dkim@DOMAIN=fail", "dkim!pass" (no pass at all), "dmarc=...", "arc=...", with alternatives between |. The same seed makes the same mails
but for keys, Date and what is signed."""
import base64
import os
import random
import re
from email.utils import formatdate

import keys

BIG_KEYS = 16  # RSA keys of 2048 bits, shared by the domains
HOST = "mx.example.org"  # our authserv-id
RCPT = "user@example.org"
FOREIGN = "95.1.2.3"  # no domain's SPF allows it
SPF = ("ip4", "mx", "a", "include", "redirect", "exists", "include", "ip4")
DMARC = ("p=none", "p=reject", "p=quarantine", "p=reject; adkim=s; aspf=s", None, "p=reject; sp=none", "p=quarantine; pct=20")
BAD = "fail|neutral|permerror|policy|none"  # any way to say that a signature does not count
UNSURE = "temperror|@tempfail"
CANONICAL = ("relaxed/relaxed", "relaxed/simple", "simple/simple", "simple/relaxed")
WORDS = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore invoice meeting report schedule "
    "project budget review quarter update customer delivery Grüße naïve café"
).split()


class Domain:
    def __init__(self, index, kind, spf, dmarc):
        self.name = f"{('amber', 'birch', 'cedar', 'delta', 'ember', 'flint')[index % 6]}{index:03}.example"
        self.index, self.kind, self.spf, self.dmarc = index, kind, spf, dmarc
        self.address = f"45.{index // 200}.{index % 200}.10"
        self.key = f"bench{index % BIG_KEYS}"
        self.strict = bool(dmarc and "adkim=s" in dmarc)

    def zone(self, provider):
        """(name, kind, records) as zones.build takes it. provider: whose SPF record is included."""
        record = {
            "ip4": f"v=spf1 ip4:{self.address} -all",
            "mx": "v=spf1 mx -all",
            "a": "v=spf1 a:mail.%{d} -all",
            "include": f"v=spf1 include:_spf.{provider.name} ip4:{self.address} -all",
            "redirect": f"v=spf1 redirect=_own.{self.name}",
            "exists": "v=spf1 exists:%{i}.allow.%{d} -all",
            "broken": "v=spf1 foo:bar -all",
        }[self.spf]
        lines = [
            f"@ A {self.address}",
            "@ MX 10 mail",
            f"mail A {self.address}",
            f"@ TXT {keys.txt(record)}",
            '@ TXT "site=1234567890abcdef"',
        ]
        lines += [f"{self.address}.allow A 127.0.0.2", f'_own TXT "v=spf1 ip4:{self.address} -all"', 'mail TXT "v=spf1 a -all"']
        lines += [
            f'_spf TXT "v=spf1 include:_more.{self.name} ip4:45.9.{self.index % 200}.0/24 -all"',
            '_more TXT "v=spf1 ip4:192.0.2.0/28 -all"',
        ]
        if self.dmarc:
            lines.append(f'_dmarc TXT "v=DMARC1; {self.dmarc}; rua=mailto:dmarc@{self.name}"')
        for selector, kind, name in (("big", "rsa", self.key), ("ed", "ed25519", "one")):
            lines.append(f"{selector}._domainkey TXT {keys.txt(keys.record(kind, name))}")
        if self.index % 4 == 0:
            lines.append(f"small._domainkey TXT {keys.txt(keys.record('rsa1024', 'one'))}")
            lines.append(f"huge._domainkey TXT {keys.txt(keys.record('rsa4096', 'one'))}")
            lines.append('revoked._domainkey TXT "v=DKIM1; k=rsa; p="')
        return (self.name, self.kind, "\n".join(lines))


class World:
    def __init__(self, domains=80):
        self.domains = [
            Domain(i, "signed" if i % 2 == 0 else "unsigned", SPF[i % len(SPF)], DMARC[i % len(DMARC)]) for i in range(domains)
        ]
        self.broken = Domain(domains, "signed", "broken", "p=none")
        self.bogus = [Domain(domains + 1, "wrong-ds", "ip4", "p=reject"), Domain(domains + 2, "expired", "ip4", "p=reject")]

    def zones(self):
        return [
            (".", "signed", ""),
            ("example", "signed", "ns1.host A 198.51.100.3\nns2.host A 198.51.100.4\nns.nic A 198.51.100.2"),
            ("org", "signed", ""),
            ("arpa", "signed", ""),
            ("in-addr.arpa", "signed", ""),
            ("bank.example", "signed", "@ A 192.0.2.10"),
            ("example.org", "signed", '@ MX 10 mx\nmx A 203.0.113.1\n@ TXT "v=spf1 -all"'),
        ] + [d.zone(self.domains[0]) for d in self.domains + [self.broken] + self.bogus]


def paragraph(rng, size):
    lines, n = [], 0
    while n < size:
        line = " ".join(rng.choices(WORDS, k=rng.randint(4, 11)))
        line = {0: line + "  \t", 1: ". " + line, 2: line.replace(" ", "   ", 1), 3: ""}.get(rng.randrange(25), line)
        lines.append(line.encode() + b"\r\n")
        n += len(lines[-1])
    return b"".join(lines)


def html(rng, size):
    shape = '<p style="margin:0;font-family:Arial,sans-serif;color:#%06x">%s <a href="https://www.shop.example/%d">%s</a></p>\r\n'
    lines, n = [], 0
    while n < size:
        words = rng.choices(WORDS, k=9)
        lines.append((shape % (rng.getrandbits(24), " ".join(words[1:]), rng.getrandbits(20), words[0])).encode())
        n += len(lines[-1])
    return b"<html><body>\r\n" + b"".join(lines) + b"</body></html>\r\n"


def body_of(rng, size):
    """Content-Type and body of about that size: text, text and HTML, or an attachment."""
    if size < 10000 and rng.random() < 0.5:
        return "text/plain; charset=utf-8", paragraph(rng, size)
    mark = f"=_{rng.getrandbits(64):016x}"
    if size < 100000:
        text = size // 3 if size < 10000 else size // 5
        parts = [("text/plain; charset=utf-8", paragraph(rng, text)), ("text/html; charset=utf-8", html(rng, size - text))]
    else:
        raw = base64.b64encode(rng.randbytes(size * 57 // 78))
        lines = b"".join(raw[i : i + 76] + b"\r\n" for i in range(0, len(raw), 76))
        parts = [("text/plain; charset=utf-8", paragraph(rng, 2000))]
        parts.append(('application/octet-stream; name="a.bin"\r\nContent-Transfer-Encoding: base64', lines))
    body = b"".join(f"--{mark}\r\nContent-Type: {kind}\r\n\r\n".encode() + part + b"\r\n" for kind, part in parts)
    return f'multipart/mixed;\r\n\tboundary="{mark}"', body + f"--{mark}--\r\n".encode()


def size_of(rng, kind):
    return {"small": rng.randint(1200, 7200), "medium": rng.randint(20000, 60000), "large": rng.randint(200000, 1000000)}[kind]


class Mail:
    def __init__(self, world, number, category, rng, size):
        self.world, self.number, self.category, self.rng = world, number, category, rng
        self.kind, self.body = body_of(rng, size)
        self.dkim, self.arc, self.sender = [], "none", None
        self.message = b""

    def domain(self, **want):
        """Some domain: strict=False, or any other attribute."""
        want = {"strict": False, **want}
        return self.rng.choice([d for d in self.world.domains if d.dmarc and all(getattr(d, k) == v for k, v in want.items())])

    def begin(self, domain, spf=True, envelope=None):
        """From `domain`, handed in by a client that SPF allows, or not. envelope: whose MAIL FROM it is, if another's."""
        self.author, self.envelope = domain, envelope or domain
        self.sender = f"bounce-{self.number}@{self.envelope.name}"
        self.address, self.helo = (self.envelope.address, f"mail.{self.envelope.name}") if spf else (FOREIGN, "relay.elsewhere.example")
        self.spf = "permerror" if self.envelope.spf == "broken" else "pass" if spf else "fail"
        if self.envelope in self.world.bogus:
            self.spf = UNSURE
        subject = " ".join(self.rng.choices([w for w in WORDS if w.isascii()], k=6))
        head = [
            f"Received: from host.{domain.name} (host.{domain.name} [192.0.2.7])\r\n"
            f"\tby {self.helo} with ESMTPS id {self.rng.getrandbits(40):X}\r\n"
            f"\tfor <{RCPT}>; {formatdate()}",
            f"Date: {formatdate()}",
            f"From: {self.rng.choice(('%s', '<%s>', 'Some One <%s>'))}" % f"ann.{self.number}@{domain.name}",
            f"To: {RCPT}",
            f"Subject: {subject[:30]}\r\n {subject[30:]}x",
            f"Message-ID: <{self.rng.getrandbits(48):x}.{self.number}@{domain.name}>",
            "MIME-Version: 1.0",
            f"Content-Type: {self.kind}",
            "X-Mailer:  Bench   Mailer\t 1.0  ",
        ]
        self.message = "\r\n".join(head).encode() + b"\r\n\r\n" + self.body

    def sign(self, domain, selector="big", result="pass", **options):
        kind, name = {
            "big": ("rsa", domain.key),
            "gone": ("rsa", domain.key),
            "revoked": ("rsa", domain.key),
            "ed": ("ed25519", "one"),
        }.get(selector, ("rsa1024" if selector == "small" else "rsa4096", "one"))
        options.setdefault("canonical", self.rng.choice(CANONICAL))
        self.message = keys.sign(self.message, domain.name, selector, options.pop("kind", kind), options.pop("name", name), **options)
        self.dkim.append((domain.name, UNSURE if domain in self.world.bogus and result == "pass" else result))

    def hop(self, instance, domain, validation):
        self.message = keys.seal(self.message, instance, domain.name, "big", "spf=pass; dkim=pass", validation, name=domain.key)

    def more_body(self):
        self.message += b"-- \r\nThis mail went over a list.\r\n"

    def expected(self):
        """SPF, DKIM, DMARC (by alignment with what was made valid), ARC."""
        author = self.author
        same = (
            (lambda name: name == author.name)
            if author.strict
            else (lambda name: name == author.name or name.endswith("." + author.name))
        )
        aligned = self.spf == "pass" and same(self.envelope.name) or any(r == "pass" and same(d) for d, r in self.dkim)
        dmarc = "none" if not author.dmarc else UNSURE if author in self.world.bogus else "pass" if aligned else "fail"
        items = [f"spf={self.spf}", "dmarc=" + getattr(self, "dmarc", dmarc), f"arc={self.arc}"]
        items += [f"dkim@{d}={r}" for d, r in self.dkim] or ["dkim=none"]
        if not any("pass" in r.split("|") for _, r in self.dkim):
            items.append("dkim!pass")
        return ";".join(items)


def from_elsewhere(m, **options):
    """A mail of some domain, signed (Mail.sign's options), from a client that its SPF does not allow."""
    d = m.domain()
    m.begin(d, spf=False)
    m.sign(d, **options)


CASES = {}


def case(weight):
    def add(function):
        CASES[function.__name__.replace("_", "-")] = (weight, function)
        return function

    return add


@case(40)
def signed(m):
    d = m.domain()
    m.begin(d)
    m.sign(d)


@case(10)
def spf_only(m):
    m.begin(m.domain())


@case(9)
def forwarded(m):
    from_elsewhere(m)


@case(5)
def ed25519(m):
    from_elsewhere(m, selector="ed")


@case(3)
def ed25519_and_rsa(m):
    d = m.domain()
    m.begin(d)
    m.sign(d, "ed")
    m.sign(d)


@case(9)
def two_signatures(m):
    d, p = m.domain(), m.world.domains[0]
    m.begin(d, envelope=p)
    m.sign(d)
    m.sign(p)


@case(5)
def third_party_only(m):
    d, p = m.domain(), m.world.domains[1]
    while d is p:
        d = m.domain()
    m.begin(d, envelope=p)
    m.sign(p)


@case(8)
def body_changed(m):
    d = m.domain()
    m.begin(d, spf=m.rng.random() < 0.5)
    m.sign(d, result="fail")
    m.more_body()


@case(5)
def subject_changed(m):
    from_elsewhere(m, result="fail")
    m.message = m.message.replace(b"Subject: ", b"Subject: [list] ", 1)


@case(3)
def blanks_changed(m):
    from_elsewhere(m, canonical="relaxed/relaxed")
    m.message = m.message.replace(b"Subject: ", b"Subject:\t  ", 1).replace(b" dolor ", b"   dolor\t ") + b"\r\n\r\n"


@case(3)
def small_key(m):
    d = m.domain(index=0)
    m.begin(d, spf=False)
    m.sign(d, "small")


@case(2)
def huge_key(m):
    d = m.domain(index=0)
    m.begin(d, spf=False)
    m.sign(d, "huge")


@case(3)
def key_missing(m):
    from_elsewhere(m, selector="gone", result=BAD)


@case(2)
def key_revoked(m):
    d = m.domain(index=0)
    m.begin(d, spf=False)
    m.sign(d, "revoked", BAD)


@case(3)
def another_key(m):
    d = m.domain()
    m.begin(d, spf=False)
    m.sign(d, result="fail", name=f"bench{(d.index + 1) % BIG_KEYS}")


@case(3)
def expired(m):
    from_elsewhere(m, result=BAD, extra="t=1700000000; x=1700086400; ")


@case(3)
def nine_signatures(m):
    d = m.domain()
    m.begin(d)
    for p in m.world.domains[:8]:
        m.sign(p, "big" if p.index % 2 else "ed")
    m.dkim = []
    m.sign(d)


@case(6)
def forged(m):
    m.begin(m.domain(), spf=False)


@case(3)
def broken_spf(m):
    d = m.world.broken
    m.begin(d)
    m.sign(d)


@case(4)
def bogus(m):
    d = m.rng.choice(m.world.bogus)
    m.begin(d)
    m.sign(d)


@case(2)
def two_authors(m):
    d, v = m.domain(), m.domain()
    m.begin(d)
    m.sign(d, fields=keys.SIGNED + ("from",), result="fail")
    m.message = f"From: boss@{v.name}\r\n".encode() + m.message
    m.dmarc = "fail|permerror|none"


@case(2)
def empty_body(m):
    d = m.domain()
    m.body = m.rng.choice((b"", b"\r\n", b"\r\n\r\n\r\n"))
    m.begin(d)
    m.sign(d)


@case(2)
def blank_lines(m):
    d = m.domain()
    m.body += b"\r\n" * 300
    m.begin(d)
    m.sign(d)


@case(3)
def eight_bit_subject(m):
    d = m.domain()
    m.begin(d, spf=False)
    m.message = m.message.replace(b"Subject: ", "Subject: Grüße ".encode(), 1)
    m.sign(d)


@case(5)
def arc_one(m):
    from_elsewhere(m)
    m.hop(1, m.world.domains[2], "none")
    m.arc = "pass"


@case(4)
def arc_two_of_a_list(m):
    from_elsewhere(m, result="fail")
    m.hop(1, m.world.domains[3], "none")
    m.more_body()
    m.hop(2, m.world.domains[4], "pass")
    m.arc = "pass"


@case(3)
def arc_changed_later(m):
    from_elsewhere(m, result="fail")
    m.hop(1, m.world.domains[5], "none")
    m.more_body()
    m.arc = "fail"


@case(2)
def arc_seal_changed(m):
    from_elsewhere(m)
    m.hop(1, m.world.domains[6], "none")
    m.message = m.message.replace(b"; spf=pass; dkim=pass\r\n", b"; spf=pass; dkim=fail\r\n", 1)
    m.arc = "fail"


def corpus(world, folder, mails, seed=1):
    """Writes `mails` mails and manifest.tsv to the folder; each case occurs at least once if there are enough. Returns their number."""
    os.makedirs(f"{folder}/mail", exist_ok=True)
    total = sum(weight for weight, _ in CASES.values())
    plan = [name for name, (weight, _) in CASES.items() for _ in range(max(1, round(weight * mails / total)))]
    random.Random(f"order {seed}").shuffle(plan)
    sizes = (["small"] * 6 + ["medium"] * 3 + ["large"]) * (len(plan) // 10 + 1)
    random.Random(f"sizes {seed}").shuffle(sizes)
    lines = []
    for number, name in enumerate(plan):
        rng = random.Random(f"mail {seed} {number}")
        m = Mail(world, number, name, rng, size_of(rng, sizes[number]))
        CASES[name][1](m)
        identity = f"{number:04}.{name}"
        with open(f"{folder}/mail/{identity}", "wb") as f:
            f.write(m.message)
        lines.append("\t".join((identity, m.address, m.helo, m.helo, m.sender, RCPT, f"mail/{identity}", m.expected())))
    with open(f"{folder}/manifest.tsv", "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")
    return len(plan)


def results_of(fields):
    """What Authentication-Results of ours say: a list of (method, result, {property: value})."""
    found = []
    for field in fields:
        words = re.sub(r"\((?:[^()\\]|\\.|\([^()]*\))*\)", " ", re.sub(r"\s+", " ", field)).split(";")
        if words[0].split()[:1] != [HOST]:
            continue
        for item in words[1:]:
            pairs = re.findall(r'([a-z0-9./-]+)\s*=\s*("[^"]*"|\S+)', item, re.I)
            if pairs:
                found.append(
                    (pairs[0][0].lower().split("/")[0], pairs[0][1].lower(), {k.lower(): v.strip('"').lower() for k, v in pairs[1:]})
                )
    return found


def unmet(expected, action, results, methods):
    """The items of `expected` that do not hold, of those methods."""
    wrong = []
    for item in expected.split(";"):
        name, deny, wanted = re.match(r"([a-z]+(?:@[^=!]*)?)([=!])(.*)", item).groups()
        method, _, domain = name.partition("@")
        if method not in methods:
            continue
        got = {
            r for m, r, p in results if m == method and (not domain or p.get("header.d", p.get("header.i", "")).split("@")[-1] == domain)
        }
        words = wanted.split("|")
        if deny == "!":
            good = wanted not in got
        else:
            good = bool(got & set(words)) or ("none" in words and not got) or ("@tempfail" in words and action == "tempfail")
        if not good:
            wrong.append(f"{item}, not {','.join(sorted(got)) or 'nothing'}")
    return wrong
