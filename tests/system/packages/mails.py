# SPDX-License-Identifier: BSD-2-Clause
"""mails.py FOLDER - the demonstration's mails, its policy and its DNS as saved answers, to be judged by `assay verify` of two versions.

Written into FOLDER: policy, partners.list, dns, N.eml, and `list`: a line for each mail: N, client, HELO, MAIL FROM, recipient, the exit
code that `assay verify` must end with. Mails that come by way of a list or of our backup MX are left out, since what they pass through is
a real Postfix there; so are mails that meet a policy that was changed in between."""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../world"))
sys.dont_write_bytecode = True
import internet  # noqa: E402
import keys  # noqa: E402
from demo_cases import MAILS  # noqa: E402
from demo_house import PARTNERS  # noqa: E402

STATES = {"signed": "secure", "unsigned": "insecure", "expired": "bogus", "wrong-ds": "bogus", "dead": "timeout"}
CODES = {"delivered": 0, "junk": 1, "refused": 2, "deferred": 3}
DAY = 86400


def answers():
    """All zones as lines of assay-dns(5)."""
    for name, kind, records in internet.internet():
        if STATES[kind] == "timeout":
            yield f"zone {name} timeout"
            continue
        yield f"zone {name} {STATES[kind]}"
        for line in filter(None, (x.strip() for x in records.split("\n"))):
            owner, kind_of, data = line.split(None, 2)
            origin = "" if name == "." else "." + name
            owner = owner[:-1] if owner.endswith(".") else name if owner == "@" else owner + origin
            words = data.split()
            if kind_of in ("MX", "CNAME", "NS", "PTR") and not words[-1].endswith("."):
                words[-1] = name if words[-1] == "@" else words[-1] + origin
                data = " ".join(words)
            yield f"{owner} {kind_of} {data}"


def policy():
    with open(os.path.join(HERE, "../../world/demo.policy"), encoding="utf-8") as f:
        text = f.read()
    for days in (60, -1):
        text = text.replace(f"@today{days:+d}@", time.strftime("%Y-%m-%d", time.localtime(time.time() + days * DAY)))
    return "".join(line + "\n" for line in text.split("\n") if "@folder@" not in line)


def message(number, mail):
    head = [f"From: {mail.author}", *mail.extra, f"To: {mail.to[0]}", f"Subject: {mail.title[:60]}"]
    head += ["Date: " + time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime()), f"Message-ID: <{number}@{mail.sender.split('@')[1]}>"]
    text = ("\r\n".join(head) + "\r\n\r\nGood morning.\r\n").encode()
    return keys.sign(text, mail.sign[1], mail.sign[2], mail.sign[0]) if mail.sign else text


def write(path, data):
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def main(folder):
    rows = []
    for number, mail in enumerate(MAILS):
        if mail.by_way_of or mail.before or mail.must not in CODES:
            continue
        write(f"{folder}/{number}.eml", message(number, mail))
        rows.append(f"{number} {mail.client} {mail.helo} {mail.sender} {mail.to[0]} {CODES[mail.must]}\n")
    write(f"{folder}/list", "".join(rows))
    write(f"{folder}/dns", "".join(line + "\n" for line in answers()))
    write(f"{folder}/policy", policy())
    write(f"{folder}/partners.list", PARTNERS)


main(sys.argv[1])
