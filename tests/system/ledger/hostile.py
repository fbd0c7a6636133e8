# SPDX-License-Identifier: BSD-2-Clause
"""hostile.py BUILD FOLDER STORE - records of mails and names whose writers wanted to stop the ledger: values longer
than an index takes (PostgreSQL: about
2,700 octets that do not compress), and counts that do not add up in 64 bits. They are taken in, and so is what comes
with them and behind them."""
import json
import os
import random
import string
import subprocess
import sys
import time

from checks import Checks

BUILD, FOLDER, STORE = sys.argv[1:4]
NOW = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 60))  # younger than what is forgotten
chance = random.Random(7)
check = Checks('hostile')


def noise(n, letters=string.ascii_letters + string.digits + "äß€𝄞"):
    return "".join(chance.choice(letters) for _ in range(n))


def name(n=250):
    return ".".join(noise(60, string.ascii_lowercase + string.digits) for _ in range(n // 61)) + ".example"


def mail(**more):
    mail.count += 1
    whole = dict(
        v=1,
        t=f"{NOW}.{mail.count:06d}Z",
        host="mx1",
        kind="mail",
        id=f"q{mail.count}",
        source="internet",
        client="192.0.2.66",
        message_id=f"<{mail.count}@x.example>",
        mail_from="x.example",
        verdict=dict(action="deliver", would="deliver"),
        findings=[dict(standard="spf", identity="mailfrom", subject="x.example", result="pass")],
    )
    whole["from"] = "x.example"
    return {**whole, **more}


mail.count = 0


def dmarc(**more):
    return dict(
        standard="dmarc",
        subject="x.example",
        record="x.example",
        org="x.example",
        p="none",
        rua="mailto:r@x.example",
        result="fail",
        dkim_aligned=False,
        spf_aligned=False,
        **more,
    )


def records():
    long = noise(20000)
    signatures = [
        dict(standard="dkim", subject=name(), selector=noise(63, string.ascii_lowercase), result="permerror", aligned=False)
        for _ in range(60)
    ]
    yield mail(message_id=f"<{long}@x.example>")
    yield mail(findings=signatures + [dmarc()])  # what a sender can do
    for key in ("id", "source", "client", "helo", "mail_from", "from", "policy", "host"):
        yield mail(**{key: long, "findings": [dmarc(), dict(standard="spf", identity="mailfrom", subject=name(), result="pass")]})
    yield mail(
        verdict=dict(action=long, would=long, held_back=long, statement=long, text=long, override=long, comment=long),
        findings=[dmarc(applied="reject")],
    )
    for key in ("standard", "subject", "result", "security", "selector", "algorithm"):
        yield mail(
            findings=[
                {
                    **dict(standard="dkim", subject="x.example", selector="s", result="fail", security="secure", algorithm="a", bits=1),
                    key: long,
                }
            ]
        )
    yield mail(findings=[{**dmarc(), "record": long, "rua": long, "org": long}])
    yield mail(
        lines=[
            dict(
                standard=noise(400),
                subject=noise(400),
                result=noise(400),
                level=noise(400),
                action=noise(400),
                statement=noise(400),
                exemption=noise(400),
                expired=noise(400),
                trust=noise(400),
            )
        ],
        policy=noise(400),
    )
    yield from records_of_names(long)
    for lost in (2**63 - 1, 2**63 - 1, -(2**63)):
        yield dict(v=1, t=NOW + ".000001Z", host="mx1", kind="note", note="lost", lost=lost, dropped=lost)
    for t in ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        yield mail(t=t)


def records_of_names(long):
    for zone, count in ((long, 1), (name(), 2**63 - 1), (name(), 2**63 - 1), (name(), 5)):
        yield dict(
            v=1,
            t=NOW + ".000001Z",
            host="mx1",
            kind="names",
            zone=zone,
            state="insecure",
            reason=long,
            count=count,
            refused=2**63 - 1,
            would=2**63 - 1,
            algorithm=[8],
            bits=2048,
            first=NOW + ".000001Z",
            last=NOW + ".000001Z",
        )


def ask(sql):
    words = ["psql", "-qAtX", STORE, "-c", sql] if STORE.startswith("postgres") else ["sqlite3", STORE, sql]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split("\n")[:-1]


def write(folder, number, wanted):
    with open(f"{folder}/journal/milter-20261120T100000Z-{number:08x}.journal", "w", encoding="utf-8") as f:
        for r in [dict(v=1, t=NOW + "Z", host="mx1", kind="segment", segment=f"{number:032x}", writer="milter")] + wanted:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")


def ledger():
    done = subprocess.run([f"{BUILD}/assay-ledger", "-1", "-P", f"{FOLDER}/policy", "-S", FOLDER], capture_output=True, text=True)
    check(done.returncode == 0, f"assay-ledger ends with {done.returncode}: {done.stderr}")
    return done.stderr


def main():
    os.makedirs(f"{FOLDER}/journal")
    if STORE.startswith("postgres"):
        subprocess.run(
            ["psql", "-qX", STORE, "-c", "DROP SCHEMA public CASCADE", "-c", "CREATE SCHEMA public"], check=True, capture_output=True
        )
    with open(f"{FOLDER}/policy", "w", encoding="ascii") as f:
        f.write(
            f'policy "x" owner "x@example.org"\nset journal.dir "{FOLDER}/journal"\nset ledger.knowledge "{FOLDER}/knowledge"\n'
            f'set ledger.store "{STORE}"\n'
        )
    wanted = list(records())
    for number, r in enumerate(wanted):  # one a segment, so that what is amiss has a name
        write(FOLDER, number, [r])
        words = ledger()
        check(os.listdir(f"{FOLDER}/journal") == [], f"taken in: {json.dumps(r)[:300]}: {words}")
    mails = [r for r in wanted if r["kind"] == "mail"]
    subprocess.run([f"{BUILD}/assay", "ledger", "tidy", "--now", "-P", f"{FOLDER}/policy"], check=True, capture_output=True)
    check(int(ask("SELECT count(*) FROM mail")[0]) == len(mails) - 2, "every mail has its row, but that of 1970, and that of 9999")
    check(ask("SELECT count(*) FROM ahead") == ["1"], "which waits for its time")
    check(ask("SELECT count(*) FROM mail WHERE length(message_id) > 100 AND length(message_id) < 1000") == ["1"], "a Message-ID is cut")
    columns = "mark source_ip header_from envelope_from disposition dkim spf reason comment signatures spf_domain spf_scope spf_result"
    rows = ask("SELECT %s FROM dmarc_row WHERE domain = 'x.example'" % " || ' ' || ".join(columns.split()))
    check(rows and max(len(t) for t in rows) < 2700, "rows of reports are short")
    rows = ask("SELECT signatures FROM dmarc_row WHERE domain = 'x.example'")
    check(max(len(t.split()) for t in rows) >= 4, "with the first of the signatures")
    check(
        all(
            0 <= int(n) <= 10**10
            for n in ask("SELECT count FROM subject_day") + ask("SELECT count FROM standard_day") + ask("SELECT count FROM outcome_day")
        ),
        "counts add up",
    )
    check(all(0 <= int(n) <= 10**10 for n in ask("SELECT lost FROM host") + ask("SELECT dropped FROM host")), "losses too")
    write(FOLDER, 1000, wanted + [mail(id="last")])
    ledger()
    check(ask("SELECT count(*) FROM mail WHERE queue_id = 'last'") == ["1"], "all in one batch, and what comes behind")
    print(f"{len(wanted)} hostile records, {check.count} checks")


main()
