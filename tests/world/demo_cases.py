# SPDX-License-Identifier: BSD-2-Clause
"""demo_cases - what the demonstration sends and asks, and what the policy says must become of it.

Mail: what it shows, who sends it from where, and `must`: the end it must come to and words of the statement that must have decided.
Ends: delivered, junk (the recipient's junk folder), refused (5xx), deferred (4xx), refused to the backup MX (which then tells the sender).
"""


class Mail:
    def __init__(
        self,
        title,
        client,
        sender,
        author,
        must,
        by="",
        sign=None,
        to=("user@example.org",),
        by_way_of=None,
        extra=(),
        before=None,
        retries=0,
        helo=None,
    ):
        self.title, self.client, self.sender, self.author = title, client, sender, author
        self.must, self.by, self.sign, self.to, self.by_way_of = must, by, sign, to, by_way_of
        self.extra, self.before, self.retries = extra, before, retries
        self.helo = helo or "mail." + (sender.split("@")[1] if sender else "nowhere.example")


class Question:
    def __init__(self, title, name, kind, must, options=(), by=""):
        self.title, self.name, self.kind, self.must, self.options, self.by = title, name, kind, must, options, by


FORGER = "192.0.2.66"  # inside the network that the policy names
OTHER = "192.0.2.99"

TIGHTER = (
    'follow   dmarc                             of everyone\n',
    'require  dmarc                             of everyone   otherwise reject\n',
)

MAILS = [
    Mail(
        "Honest mail. The sender's address is in its domain's SPF record.",
        "192.0.2.10",
        "info@bank.example",
        "Bank <info@bank.example>",
        "delivered",
    ),
    Mail(
        "Honest mail from another address, with an RSA signature.",
        OTHER,
        "bounce@shop.example",
        "Shop <ann@shop.example>",
        "delivered",
        sign=("rsa", "shop.example", "rsa"),
    ),
    Mail(
        "Honest mail from another address, with an Ed25519 signature.",
        OTHER,
        "bounce@club.example",
        "Club <ann@club.example>",
        "delivered",
        sign=("ed25519", "club.example", "ed"),
    ),
    Mail(
        "A forgery of the bank, which publishes p=reject, from a network known for it.",
        FORGER,
        "x@attacker.example",
        "Bank <info@bank.example>",
        "refused",
        "follow dmarc",
    ),
    Mail(
        "The same forgery, by way of a mailing list: p=reject alone is no ground to refuse.",
        FORGER,
        "x@attacker.example",
        "Bank <info@bank.example>",
        "junk",
        "follow dmarc",
        by_way_of="list",
    ),
    Mail(
        "The bank's own signed mail, by way of the same list, which changed the text.",
        "192.0.2.10",
        "info@bank.example",
        "Bank <info@bank.example>",
        "junk",
        "follow dmarc",
        sign=("rsa", "bank.example", "rsa"),
        by_way_of="list",
    ),
    Mail(
        "A forgery of a domain that says it sends no mail at all.",
        OTHER,
        "x@attacker.example",
        "Parked <info@parked.example>",
        "refused",
        "follow dmarc",
    ),
    Mail(
        "A forgery of our own director, from outside.",
        OTHER,
        "x@attacker.example",
        "The Director <director@example.org>",
        "refused",
        "follow dmarc",
    ),
    Mail(
        "A forgery of a domain with p=none: its owner asks for nothing; delivered and recorded.",
        OTHER,
        "x@attacker.example",
        "Club <ann@club.example>",
        "delivered",
    ),
    Mail("A forgery of a domain with p=quarantine.", OTHER, "x@attacker.example", "Shop <ann@shop.example>", "junk", "follow dmarc"),
    Mail(
        "A partner without DNSSEC, which the policy requires of partners.",
        "192.0.2.40",
        "a@unsigned.example",
        "A <a@unsigned.example>",
        "refused",
        "require dnssec",
    ),
    Mail(
        "A partner without DNSSEC, with an explained exemption.",
        "192.0.2.41",
        "a@supplier.example",
        "A <a@supplier.example>",
        "delivered",
        "exempt supplier.example",
    ),
    Mail(
        "A partner without DNSSEC, whose exemption ended yesterday.",
        "192.0.2.42",
        "a@late.example",
        "A <a@late.example>",
        "refused",
        "require dnssec",
    ),
    Mail(
        "A domain whose DNSSEC signatures have expired: nothing it says can be believed now.",
        "192.0.2.50",
        "a@expired.example",
        "A <a@expired.example>",
        "deferred",
        "follow",
    ),
    Mail(
        "A forged signature of a domain whose key server is dead: must not pass, may be honest: try later.",
        FORGER,
        "x@attacker.example",
        "A <a@deadkeys.example>",
        "deferred",
        "dmarc",
        sign=("rsa", "deadkeys.example", "sel"),
    ),
    Mail("A domain whose name server never answers.", OTHER, "a@silent.example", "A <a@silent.example>", "deferred"),
    Mail(
        "Honest mail by way of our backup MX: judged by the address that the backup got it from.",
        "192.0.2.10",
        "info@bank.example",
        "Bank <info@bank.example>",
        "delivered",
        by_way_of="backup",
    ),
    Mail(
        "A forgery by way of our backup MX: the detour buys nothing.",
        FORGER,
        "x@attacker.example",
        "Bank <info@bank.example>",
        "refused to the backup MX",
        "follow dmarc",
        by_way_of="backup",
    ),
    Mail(
        "Two recipients with different policies: 451 once; on the retry each by its own.",
        "192.0.2.31",
        "a@nothing.example",
        "A <a@nothing.example>",
        "user@example.org delivered, boss@payroll.example.org refused",
        "writing to payroll.example.org",
        to=("user@example.org", "boss@payroll.example.org"),
        retries=2,
    ),
    Mail(
        "Two From fields: which one would the reader see?",
        "192.0.2.10",
        "info@bank.example",
        "Bank <info@bank.example>",
        "refused",
        "require message-format",
        extra=("From: Club <ann@club.example>",),
    ),
    Mail("A domain that publishes nothing.", "192.0.2.31", "a@nothing.example", "A <a@nothing.example>", "delivered"),
    Mail(
        "The same mail, after the policy was made stricter and reloaded.",
        "192.0.2.31",
        "a@nothing.example",
        "A <a@nothing.example>",
        "refused",
        "require dmarc",
        before=TIGHTER,
    ),
]

# must: status, and whether the resolver vouches for the answer (AD).
QUESTIONS = [
    Question("A signed name.", "mail.bank.example", "A", "NOERROR, signed and valid"),
    Question("A name that does not exist, in a signed zone.", "no-such.bank.example", "A", "NXDOMAIN, signed and valid"),
    Question("An unsigned name that nothing is asked of.", "mail.club.example", "A", "NOERROR"),
    Question(
        "An unsigned name of a partner: DNSSEC is required.",
        "www.unsigned.example",
        "A",
        "SERVFAIL",
        by="require dnssec of names in list partners",
    ),
    Question(
        "The same again: the answer that lies in the cache is not let through.",
        "www.unsigned.example",
        "A",
        "SERVFAIL",
        by="require dnssec of names in list partners",
    ),
    Question(
        "The same, by a client that asks to skip the check (CD).",
        "www.unsigned.example",
        "A",
        "SERVFAIL",
        options=("+cd",),
        by="require dnssec of names in list partners",
    ),
    Question("An unsigned name with an explained exemption.", "www.supplier.example", "A", "NOERROR"),
    Question(
        "An unsigned name whose exemption has ended.", "www.late.example", "A", "SERVFAIL", by="require dnssec of names in list partners"
    ),
    Question("A name whose signatures have expired.", "www.expired.example", "A", "SERVFAIL"),
    Question("A name signed by another key than its parent vouches for.", "www.wrongds.example", "A", "SERVFAIL"),
]
