# SPDX-License-Identifier: BSD-2-Clause
"""ledger_totals.py: a ledger of a month of many mails, for the benches of the report, without taking each mail in: the daily totals are
filled as assay-ledger would have filled them, the newest mails (REAL) are taken in by it. check_totals() holds that both ways give the same
rows, and that `assay ledger recount` finds nothing to mend.

A mail has 8 findings. ORGANISATIONS write as often as Zipf's law has it; one in seven often fails DMARC, one in fifty is asked for TLS, and
of each hundred mails one is forged."""
import bisect
import collections
import datetime
import itertools
import json
import os
import random
import sqlite3
import subprocess

TOP = os.path.abspath(os.path.join(__file__, "../../.."))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
ORGANISATIONS, FINDINGS, DAYS, HOST, REAL = 50000, 8, 30, "mx1.example.org", 20000
DAY_US = 86400 * 10**6
POLICY = """policy "bench" owner "postmaster@example.org"
record spf, dkim, arc, tls, rdns of everyone
follow dmarc of everyone
require message-format of everyone
list government in "{folder}/government.list"
require tls 1.2 or newer of list government otherwise quarantine
own domains example.org
set mode enforce
set journal.dir "{folder}/journal"
set ledger.store "{store}"
set ledger.knowledge "{folder}/knowledge"
"""
TABLES = {  # table: (columns of its key, columns that are sums)
    "org_day": (("day", "org", "asked"), ("mails", "met", "explained", "untested")),
    "org_miss_day": (("day", "org", "standard"), ("missed", "explained", "untested")),
    "org_failed_day": (("day", "org", "net", "standard"), ("count", "strict")),
    "org_group_day": (("day", "name", "org"), ()),
    "standard_hour": (("hour", "host", "scope", "standard", "result", "security"), ("count",)),
    "standard_day": (("day", "scope", "standard", "result", "security"), ("count",)),
    "verdict_hour": (("hour", "host", "source", "action", "would"), ("count",)),
}
OUTCOME = ("day", "standard", "subject", "result", "level", "action", "statement", "exemption", "expired", "trust", "policy")
SEEN = {  # with the times of the first and the last
    "subject_day": (("subject", "scope", "standard", "day", "result", "security"), "count"),
    "outcome_day": (OUTCOME, "count"),
    "org_source": (("org", "net"), "passed"),
}


def mails(count, last_day, seed=1):
    """(time, organisation's number, government, DMARC passed, forged), in the order of time, over DAYS days up to last_day."""
    chance = random.Random(seed)
    cumulated = list(itertools.accumulate(1 / (k + 1) for k in range(ORGANISATIONS)))
    first, span = (last_day - DAYS + 1) * DAY_US, DAYS * DAY_US
    for n in range(count):
        k = bisect.bisect_left(cumulated, chance.random() * cumulated[-1])
        forged = chance.random() < 0.01
        passed = not forged and chance.random() >= (0.3 if k % 7 == 0 else 0.01)
        yield first + n * span // count, k, k % 50 == 0, passed, forged


def client(n, k, forged):
    return f"203.{n % 200}.{n // 200 % 250}.9" if forged else f"198.{k % 200}.{k // 200}.{n % 4 + 1}"


def findings(k, passed, address):
    domain, word = f"sender-{k}.example", "pass" if passed else "fail"
    security = "secure" if k % 3 == 0 else "insecure"
    return [
        ("spf", domain, word, security),
        ("arc", domain, "none", security),
        ("tls", domain, "fail" if k % 11 == 0 else "pass", security),
        ("dnssec", domain, "pass", security),
        ("message-format", domain, "pass", security),
        ("rdns", address, "pass", security),
        ("dkim", domain, "pass" if passed else "none", security),
        ("dmarc", domain, word, security),
    ]


def asked(k, government, passed):
    out = [("dmarc", "follow", "pass" if passed else "fail"), ("message-format", "require", "pass")]
    return out + ([("tls", "require", "fail" if k % 11 == 0 else "pass")] if government else [])


def record(n, mail, policy):
    """The mail as assay-milter writes it to its journal."""
    t, k, government, passed, forged = mail
    domain, address = f"sender-{k}.example", client(n, k, forged)
    found = [dict(zip(("standard", "subject", "result", "security"), f)) for f in findings(k, passed, address)]
    found[7].update(org=domain, p="reject" if k % 2 else "none", applied="reject" if k % 2 and not passed else "none")
    lines = [
        {
            "standard": s,
            "subject": domain,
            "result": r,
            "level": level,
            "action": "deliver" if r == "pass" else "quarantine",
            "statement": "L3",
        }
        for s, level, r in asked(k, government, passed)
    ]
    action = "deliver" if all(line["result"] == "pass" for line in lines) else "quarantine"
    head = {"v": 1, "t": datetime.datetime.fromtimestamp(t / 10**6, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    who = {"client": address, "helo": f"mail.{domain}", "mail_from": domain, "from": domain, "rcpts": 1, "policy": policy}
    verdict = {"action": action, "would": action, **({} if action == "deliver" else {"statement": "L3"})}
    return {**head, "host": HOST, "kind": "mail", "id": f"4B{n:08X}", "source": "internet", **who, "verdict": verdict, "lines": lines,
            "findings": found}  # fmt: skip


class Totals:
    """What assay-ledger counts of a mail; rows of one day, and of networks over all days."""

    def __init__(self, policy):
        self.policy, self.sources = policy, {}
        self.begin()

    def begin(self):
        self.sums = {name: collections.Counter() for name in TABLES}
        self.more = {name: {} for name in TABLES}
        self.seen = {name: {} for name in SEEN if name != "org_source"}

    def add(self, table, key, *sums):
        row = self.more[table].get(key)
        if row is None:
            self.more[table][key] = list(sums)
        else:
            for i, n in enumerate(sums):
                row[i] += n

    @staticmethod
    def see(rows, key, t):
        row = rows.get(key)
        if row is None:
            rows[key] = [1, t, t]
        else:
            row[0] += 1
            row[2] = t

    def mail(self, n, mail):
        t, k, government, passed, forged = mail
        day, hour, domain, address = t // DAY_US, t // (DAY_US // 24), f"sender-{k}.example", client(n, k, forged)
        net = address.rsplit(".", 1)[0] + ".0/24"
        for standard, subject, result, security in findings(k, passed, address):
            subject = net if standard == "rdns" else subject
            self.add("standard_hour", (hour, HOST, "mail", standard, result, security), 1)
            self.add("standard_day", (day, "mail", standard, result, security), 1)
            self.see(self.seen["subject_day"], (subject, "mail", standard, day, result, security), t)
        lines = asked(k, government, passed)
        missed = [(s, level, r) for s, level, r in lines if r != "pass"]
        action = "quarantine" if missed else "deliver"
        self.add("verdict_hour", (hour, HOST, "internet", action, action), 1)
        for standard, level, result in missed:
            self.see(self.seen["outcome_day"], (day, standard, domain, result, level, "quarantine", "L3", "", "", "", self.policy), t)
            self.add("org_miss_day", (day, domain, standard), 1, 0, 0)
        order = ("dmarc", "tls", "message-format")  # that of the standards
        names = ",".join(s for s in order if s in [line[0] for line in lines])
        self.add("org_day", (day, domain, names), 1, 0 if missed else 1, 0, 0)
        if government:
            self.add("org_group_day", (day, "government", domain))
        if passed:
            self.see(self.sources, (domain, net), t)
        else:
            for standard in ["", "all", *(m[0] for m in missed)]:
                self.add("org_failed_day", (day, domain, net, standard), 1, 1 if k % 2 else 0)

    def rows(self):
        """(table, columns, key columns, rows) of the day that is over, and begins the next."""
        for name, (key, sums) in TABLES.items():
            yield name, key + sums, key, [k + tuple(v) for k, v in self.more[name].items()]
        for name in self.seen:
            key, count = SEEN[name]
            yield name, key + (count, "first_seen", "last_seen"), key, [k + tuple(v) for k, v in self.seen[name].items()]
        self.begin()

    def source_rows(self):
        key, count = SEEN["org_source"]
        return "org_source", key + (count, "first_seen", "last_seen"), key, [k + tuple(v) for k, v in self.sources.items()]


def statement(table, columns, key, source):
    """Adds rows to those that are there."""
    sums = [c for c in columns if c not in key]
    how = {"first_seen": "CASE WHEN excluded.{0} < {1}.{0} THEN excluded.{0} ELSE {1}.{0} END"}
    how["last_seen"] = how["first_seen"].replace("<", ">")
    changes = ", ".join(f"{c} = " + how.get(c, "{1}.{0} + excluded.{0}").format(c, table) for c in sums)
    what = f"DO UPDATE SET {changes}" if sums else "DO NOTHING"
    return f"INSERT INTO {table} ({', '.join(columns)}) {source} ON CONFLICT ({', '.join(key)}) {what}"


class Sqlite:
    def __init__(self, path):
        self.db = sqlite3.connect(path)
        self.db.execute("PRAGMA synchronous = OFF")

    def write(self, table, columns, key, rows):
        self.db.executemany(statement(table, columns, key, f"VALUES ({', '.join('?' * len(columns))})"), rows)

    def close(self):
        self.db.commit()
        self.db.execute("ANALYZE")
        self.db.close()


class Postgres:
    def __init__(self, uri):
        self.uri = uri
        self.psql = subprocess.Popen(["psql", "-qX", "-v", "ON_ERROR_STOP=1", uri], stdin=subprocess.PIPE, text=True)

    def write(self, table, columns, key, rows):
        say = self.psql.stdin.write
        say(f"CREATE TEMP TABLE filled AS SELECT {', '.join(columns)} FROM {table} LIMIT 0;\nCOPY filled FROM STDIN;\n")
        say("".join("\t".join(map(str, row)) + "\n" for row in rows) + "\\.\n")
        say(statement(table, columns, key, f"SELECT {', '.join(columns)} FROM filled") + ";\nDROP TABLE filled;\n")

    def close(self):
        self.psql.stdin.write("ANALYZE;\n")
        self.psql.stdin.close()
        if self.psql.wait():
            raise SystemExit("psql failed")


def prepare(folder, store):
    """The policy's path, and its hash."""
    os.makedirs(f"{folder}/journal", exist_ok=True)
    with open(f"{folder}/government.list", "w", encoding="ascii") as f:
        f.write("".join(f"sender-{k}.example\n" for k in range(0, ORGANISATIONS, 50)))
    with open(f"{folder}/policy", "w", encoding="ascii") as f:
        f.write(POLICY.format(folder=folder, store=store))
    said = subprocess.run([f"{BUILD}/assay", "policy", "check", f"{folder}/policy"], capture_output=True, text=True).stdout
    return f"{folder}/policy", said.split()[-1]


def take_in(folder, numbered, policy_hash):
    """By assay-ledger, from a journal."""
    head = {"v": 1, "t": "2026-01-01T00:00:00.000000Z", "host": HOST}
    with open(f"{folder}/journal/mail.mx1.1.journal", "w", encoding="ascii") as f:
        f.write(json.dumps({**head, "kind": "segment", "segment": "1".zfill(16), "writer": "milter", "program": "assay-milter 0"}) + "\n")
        f.writelines(json.dumps(record(n, mail, policy_hash)) + "\n" for n, mail in numbered)
        f.write(json.dumps({**head, "kind": "end"}) + "\n")
    done = subprocess.run([f"{BUILD}/assay-ledger", "-1", "-S", folder, "-P", f"{folder}/policy"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"assay-ledger -1: {done.returncode} {done.stderr}")


def fill(folder, store, count, last_day, real=REAL):
    """A ledger of `count` mails, of which the newest `real` are really taken in."""
    policy, policy_hash = prepare(folder, store)
    totals, newest, today, writer = Totals(policy_hash), [], None, None
    real = min(real, count)
    for n, mail in enumerate(mails(count, last_day)):
        if n >= count - real:
            newest.append((n, mail))
            continue
        if mail[0] // DAY_US != today:
            if today is None:  # the tables are made by the program itself
                take_in_nothing(folder)
                writer = (Postgres if "://" in store else Sqlite)(store)
            else:
                for rows in totals.rows():
                    writer.write(*rows)
            today = mail[0] // DAY_US
        totals.mail(n, mail)
    if writer:
        for rows in totals.rows():
            writer.write(*rows)
        writer.write(*totals.source_rows())
        writer.close()
    take_in(folder, newest, policy_hash)
    return policy


def take_in_nothing(folder):
    subprocess.run([f"{BUILD}/assay-ledger", "-1", "-S", folder, "-P", f"{folder}/policy"], capture_output=True, check=True)


def contents(store):
    """The rows of all tables that are filled here, in order."""
    db = sqlite3.connect(store)
    out = {}
    for name, (key, sums) in TABLES.items():
        out[name] = sorted(db.execute(f"SELECT {', '.join(key + sums)} FROM {name}"))
    for name, (key, count) in SEEN.items():
        columns = [c for c in key if c != "policy"] + [count, "first_seen", "last_seen"]
        out[name] = sorted(db.execute(f"SELECT {', '.join(columns)} FROM {name}"))
    db.close()
    return out


def check_totals(folder, count=4000):
    """Of a small ledger: filled here, and taken in, are the same rows; recount mends nothing."""
    last_day = int(datetime.datetime.now(datetime.timezone.utc).timestamp()) // 86400 - 1
    got = []
    for name, real in (("filled", count // 10), ("taken", count)):
        os.makedirs(f"{folder}/{name}")
        store = f"{folder}/{name}/ledger.db"
        policy = fill(f"{folder}/{name}", store, count, last_day, real)
        got.append(contents(store))
        if name == "taken":
            said = subprocess.run([f"{BUILD}/assay", "ledger", "recount", "-P", policy], capture_output=True, text=True)
            if said.returncode or got[-1] != contents(store):
                raise SystemExit(f"recount changes what was taken in: {said.stdout}{said.stderr}")
    for name, rows in got[0].items():
        if rows != got[1][name]:
            odd = sorted(set(rows) ^ set(got[1][name]))[:6]
            raise SystemExit(f"{name}: {len(rows)} rows filled, {len(got[1][name])} taken in: {odd}")
    return sum(len(rows) for rows in got[0].values())
