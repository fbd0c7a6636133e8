#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""fleet.py: a ledger as an association with two lists of correspondents would have it after two months, for the tests of
the report. Journals are written as the programs write them and taken in by assay-ledger; nothing of the network."""
import base64
import datetime
import json
import os
import random
import re
import sqlite3
import subprocess
import time

TOP = os.path.abspath(os.path.join(__file__, "../../../.."))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
# What a sender may write: each must stay text wherever it is shown.
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;{1}=cmd|' /C calc'!A0"

POLICY = """policy "Example Association: mail and DNS"  owner "postmaster@example.org"
record   spf, dkim, arc, rdns  of everyone
follow   dmarc                 of everyone
require  message-format        of everyone
list     government in "{folder}/government.list"
list     suppliers in "{folder}/suppliers.list"
require  tls 1.2 or newer      of list government  otherwise quarantine
require  dane                  of list suppliers   otherwise quarantine
exempt   supplier-1.example from dane because "Their DNS host starts signing in January (contract)" \
agreed by "security officer, decision 2026-44" through {later}
exempt   supplier-2.example from dane because "{hostile}" agreed by "board, <b>minutes</b>" through {soon} via 192.0.2.0/24
exempt   supplier-3.example from dane because "It was to be done in autumn" agreed by "board" through {past}
trust    lists.example as forwarder because "Our association's list server" agreed by "postmaster" through {later}
exempt   met.example from dane because "Until their certificate is renewed" agreed by "board" through {later}
exempt   unsure.example from dane because "Their DNS moves to another host" agreed by "board" through {later}
exempt   past.example from dane because "A trial of three months" agreed by "board" through {past}
own      domains example.org, example.net
set mode {mode}
set journal.dir "{folder}/journal"
set ledger.store "{store}"
set ledger.knowledge "{folder}/knowledge"
"""


FACTS = """assay-facts 1
subject domain=example.org time={time} table=1
here ipv4=yes ipv6=yes
dns zone . insecure
dns example.org. secure 300 SOA ns.example.org. h.example.org. 1 2 3 4 5
dns example.org. secure 300 MX 10 mx.example.org.
dns mx.example.org. secure 300 A 192.0.2.1
dns example.org. secure 300 TXT "v=spf1 mx -all"
dns _dmarc.example.org. secure 300 TXT "v=DMARC1; p={policy}; rua=mailto:d@example.org"
dns _25._tcp.mx.example.org. secure 300 TLSA 3 1 1 {digest}
smtp host=mx.example.org address=192.0.2.1 outcome=done banner="220 mx" version=TLSv1.3 dane=match usage=2 trust=ok
cert der="{der}"
"""


def day(days):
    return (NOW + datetime.timedelta(days=days)).date().isoformat()


class Fleet:
    def __init__(self, folder, mode="enforce", store=None):
        self.folder, self.serial, self.lines = folder, 0, []
        os.makedirs(f"{folder}/journal", exist_ok=True)
        self.policy = f"{folder}/policy"
        for name, count in (("government", 14), ("suppliers", 12)):
            with open(f"{folder}/{name}.list", "w", encoding="ascii") as f:
                stem = name.rstrip("s")
                f.write("".join(f"{stem}-{i}.example\n" for i in range(count)))
        hostile = HOSTILE.replace('"', "")
        text = POLICY.format(
            folder=folder, store=store or f"{folder}/ledger.db", later=day(120), soon=day(12), past=day(-9), mode=mode, hostile=hostile
        )
        with open(self.policy, "w", encoding="utf-8") as f:
            f.write(text)
        said = subprocess.run([f"{BUILD}/assay", "policy", "check", self.policy], capture_output=True, text=True).stdout
        self.hash = re.findall(r"policy ([0-9a-f]{8})$", said, re.M)[0]

    def record(self, when, kind, **more):
        self.lines.append(
            json.dumps({"v": 1, "t": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "host": "mx1.example.org", "kind": kind, **more})
        )

    def mail(
        self, when, sender, asked, failed=(), exempt=(), client="192.0.2.7", action="deliver", applied="none", message_id=None, unsure=()
    ):
        """One mail: the standards asked of it, those of them that failed, those exempted; those that could not be tested."""
        self.serial += 1
        lines, findings = [], []
        for standard in sorted(set(asked) | set(exempt)):
            result = "fail" if standard in failed else "none" if standard in exempt else "untested" if standard in unsure else "pass"
            line = {"standard": standard, "subject": sender, "result": result, "level": "record" if standard in exempt else "require"}
            line["action"] = action if standard in failed else "deliver"
            if standard in exempt:
                line["exemption"] = exempt[standard]
            lines.append({**line, "statement": "L3"})
        for standard in ("spf", "dkim", "dmarc", "tls", "message-format", "dane"):
            result = "fail" if standard in failed else "none" if standard in exempt else "untested" if standard in unsure else "pass"
            findings.append({"standard": standard, "subject": sender, "result": result, "security": "insecure"})
        findings[2].update({"org": sender, "applied": applied, "p": applied})
        self.record(
            when,
            "mail",
            id=f"4B{self.serial:08X}",
            message_id=message_id or f"<{self.serial}@{sender}>",
            source="internet",
            client=client,
            helo=f"mail.{sender}",
            mail_from=sender,
            **{"from": sender},
            rcpts=1,
            rcpt_domains=["example.org"],
            policy=self.hash,
            verdict={"action": action, "would": action, **({"statement": "L3"} if action != "deliver" else {})},
            lines=lines,
            findings=findings,
        )

    def names(self, when, zone, state, count):
        self.record(
            when,
            "names",
            zone=zone,
            state=state,
            count=count,
            first=when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            last=when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            reason="expired" if state == "bogus" else "",
            policy=self.hash,
        )

    def take_in(self):
        self.serial += 1
        name = f"{self.folder}/journal/mail.mx1.{self.serial}.journal"
        with open(name, "w", encoding="utf-8") as f:
            heading = {"v": 1, "t": NOW.strftime("%Y-%m-%dT%H:%M:%S.000000Z"), "host": "mx1.example.org", "kind": "segment"}
            f.write(json.dumps({**heading, "segment": f"{self.serial:016x}", "writer": "milter", "program": "assay-milter 0"}) + "\n")
            f.write("".join(line + "\n" for line in self.lines))
            f.write(json.dumps({**heading, "kind": "end"}) + "\n")
        self.lines = []
        done = subprocess.run([f"{BUILD}/assay-ledger", "-1", "-S", self.folder, "-P", self.policy], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"assay-ledger -1: {done.returncode} {done.stderr}")

    def fill(self, days=60):
        chance = random.Random(7)
        everyone = ["dmarc", "message-format"]
        # (domain, what is asked, mails a day, share that fails now, share that failed in the first month, what fails)
        senders = [(f"government-{i}.example", everyone + ["tls"], 2, 0.0 if i % 3 else 0.4, 0.3, ["tls"]) for i in range(14)]
        senders += [(f"supplier-{i}.example", everyone + ["dane"], 3, 0.0 if i % 2 else 0.9, 0.9, ["dane"]) for i in range(4, 12)]
        senders += [(f"partner-{i}.example", everyone, 1, 0.0 if i % 4 else 0.6, 0.5, ["dmarc"]) for i in range(40)]
        for back in range(days, -1, -1):
            for hour in range(24):
                at = NOW - datetime.timedelta(days=back, hours=hour)
                self.names(at, "signed.example", "secure", 40 + hour)
                if hour % 3 == 0:
                    self.names(at, f"plain-{hour}.example", "insecure", 9)
            self.names(NOW - datetime.timedelta(days=back), "broken.example", "bogus", 3)
            for number, (sender, asked, mails, now, before, fails) in enumerate(senders):
                for _ in range(mails):
                    at = NOW - datetime.timedelta(days=back, seconds=chance.randrange(80000))
                    bad = chance.random() < (before if back > 30 else now)
                    client = f"198.51.{number}.9"
                    self.mail(at, sender, asked, fails if bad else (), client=client, action="quarantine" if bad else "deliver")
            for i in (1, 2, 3):
                at = NOW - datetime.timedelta(days=back, seconds=chance.randrange(80000))
                self.mail(at, f"supplier-{i}.example", everyone, exempt={"dane": f"L{8 + i}"}, client="192.0.2.9")
        for i in range(70):  # forged in the name of one who is strict, from nowhere it ever used
            at = NOW - datetime.timedelta(days=2, seconds=i)
            self.mail(at, "government-1.example", everyone, ["dmarc"], client="203.0.113.66", action="reject", applied="reject")
        hostile_at = NOW - datetime.timedelta(days=1)
        for i in range(8):
            self.mail(hostile_at, "xn--bcher-kva.example", everyone, ["dmarc"], client="198.51.100.250", message_id=HOSTILE)
        for i in range(3):  # too few to count as organisations
            self.mail(hostile_at, "met.example", everyone, client="198.51.100.7")
            self.mail(hostile_at, "unsure.example", everyone, client="198.51.100.8", unsure=["dane"])
        self.take_in()

    def checked(self):
        """Our own house, in SQLite: three days of checks, the last of them the best; what others reported. The facts, newest first."""
        db = sqlite3.connect(f"{self.folder}/ledger.db")
        der, today, out = certificate(), int(time.time()) // 86400, []
        for ago, policy in ((0, "reject"), (1, "quarantine"), (2, "none")):
            facts = FACTS.format(time=int(time.time()) - ago * 86400, policy=policy, digest="00" * 32, der=der)
            out.append(facts)
            db.execute("INSERT INTO domain_check (day, domain, facts) VALUES (?, 'example.org', ?)", (today - ago, facts))
        db.execute("INSERT INTO domain_check (day, domain, facts) VALUES (?, 'example.net', 'damaged')", (today,))
        begins = (today - 1) * 86400
        for kind in ("dmarc", "tls"):
            got = {"kind": kind, "org": "Receiver", "report_id": "1", "domain": "example.org", "begins": begins, "ends": begins + 86399}
            got.update(policy="", file="", taken=begins * 10**6, ours=1, authenticated=1, partial="", sender="", octets=1)
            db.execute(f"INSERT INTO report_in ({', '.join(got)}) VALUES ({', '.join('?' * len(got))})", list(got.values()))
        row = "INSERT INTO report_in_row (kind, org, report_id, domain, row, source, result, dkim, spf, header_from, detail, count) VALUES "
        db.execute(row + "('dmarc', 'Receiver', '1', 'example.org', 1, '192.0.2.1', '', 'pass', 'fail', 'example.org', '', 150)")
        db.execute(row + "('dmarc', 'Receiver', '1', 'example.org', 2, '192.0.2.9', '', 'fail', 'fail', 'example.org', '', 50)")
        db.execute(row + "('tls', 'Receiver', '1', 'example.org', 1, '', 'pass', '', '', '', '', 70)")
        db.execute(row + "('tls', 'Receiver', '1', 'example.org', 2, '', 'certificate-expired', '', '', '', '', 3)")
        db.commit()
        db.close()
        return out


def certificate():
    words = "req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -days 47 -subj /CN=mx.example.org".split()
    words += ["-addext", "subjectAltName=DNS:mx.example.org", "-outform", "DER"]
    return base64.b64encode(subprocess.run(["openssl", *words], capture_output=True, check=True).stdout).decode()


if __name__ == "__main__":
    import sys

    os.makedirs(sys.argv[1], exist_ok=True)
    Fleet(sys.argv[1]).fill()
