#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A store of an earlier schema is brought to the present one: made by the very steps of ledger/store_schema.c up to schema 6, 7 or 9,
filled, upgraded by assay-ledger, which is killed (SIGKILL) several times on the way. Rows and sums are the same before, at each kill, and
after.

    migrate.py BUILD FOLDER FILE|postgresql://... [ROWS]     ROWS of DMARC reports, and a tenth as many mails (20000)"""
import os
import signal
import sqlite3
import subprocess
import sys
import time

from checks import Checks
from old_store import TODAY, record, steps, tuple_of
from psql import OURS, Psql, PsqlError

BUILD, SPACE, WHERE = sys.argv[1:4]
ROWS = int(sys.argv[4]) if len(sys.argv) > 4 else 20000
SHARED = WHERE.startswith("postgres")
check = Checks('migrate')


session = Psql(WHERE)


def psql(script):
    rows, words = None, ""
    try:
        rows = session.ask(script)
    except PsqlError as e:
        words = str(e)
    check(rows is not None, words)
    return rows


def ask(sql):
    if SHARED:
        return psql(sql)[0]
    db = sqlite3.connect(WHERE, timeout=60)
    n = db.execute(sql).fetchone()[0]
    db.close()
    return str(n)


def make(version):
    if SHARED:
        psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public;")
        run = psql
    else:
        for end in "", "-wal", "-shm":
            if os.path.exists(WHERE + end):
                os.unlink(WHERE + end)
        db = sqlite3.connect(WHERE)
        run = db.executescript
    run("CREATE TABLE assay_schema (version BIGINT NOT NULL); INSERT INTO assay_schema VALUES (%d);" % version)
    for v in range(1, version + 1):
        run(";\n".join(steps(v, SHARED)) + ";")
    rows = [(TODAY - n % 3, f"o{n % 97}.example", tuple_of(n, version), n % 7 + 1) for n in range(ROWS)]
    first = TODAY * 86400000000 - 3600000000
    mails = [(first + n, "mx1", f"Q{n}", "internet", f"d{n % 997}.example", record(n)) for n in range(ROWS // 10)]
    if SHARED:
        psql("CREATE TABLE mail_default PARTITION OF mail DEFAULT;")
        quote = lambda v: str(v) if isinstance(v, int) else v.replace("\\", "\\\\")
        for table, columns, values in (("dmarc_row", "day, domain, tuple, count", rows),
                                       ("mail", "t, host, queue_id, source, from_domain, record, exact, rcpts, action, would",
                                        [m + (1, 1, "reject", "reject") for m in mails])):
            psql("COPY %s (%s) FROM STDIN;\n%s\n\\.\n" % (table, columns, "\n".join("\t".join(map(quote, r)) for r in values)))
    else:
        db.executemany("INSERT INTO dmarc_row VALUES (?,?,?,?)", rows)
        db.executemany("INSERT INTO mail (t, host, queue_id, source, from_domain, record, exact, rcpts, action, would) VALUES "
                       "(?,?,?,?,?,?,1,1,'reject','reject')", mails)
        db.commit()
        db.close()


def start():
    words = [BUILD + "/assay-ledger", "-1", "-P", SPACE + "/policy", "-S", SPACE + "/state"]
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True)


def is_old_there():
    table, name = ("pg_class", "relname") if SHARED else ("sqlite_master", "name")
    return ask(f"SELECT count(*) FROM {table} WHERE {name} = 'dmarc_row_9'") != "0"


def left():
    """How many rows are not converted yet."""
    return int(ask("SELECT count(*) FROM dmarc_row_9")) if is_old_there() else 0


def sums():
    old = is_old_there()
    at = "SELECT count(*) || ' ' || coalesce(sum(count), 0) FROM "
    new = [int(n) for n in ask(at + "dmarc_row").split()]
    rest = [int(n) for n in ask(at + "dmarc_row_9").split()] if old else [0, 0]
    return new[0] + rest[0], new[1] + rest[1], rest[0]


def kill_on_the_way(version, want):
    """Starts the upgrade three times, and kills it somewhere; returns how often it was not over before."""
    make(version)
    kills = 0
    for part in (5, 2, 1.2):
        p = start()
        until = time.time() + 120
        while p.poll() is None and time.time() < until:
            try:
                if int(ask("SELECT version FROM assay_schema") or 0) >= 10 and left() < ROWS - ROWS / part:
                    break
            except (sqlite3.Error, SystemExit):
                pass  # the upgrade has locked it
            time.sleep(0.01)
        if p.poll() is None:
            p.send_signal(signal.SIGKILL)
            kills += 1
        p.wait()
        p.stderr.close()
        while SHARED and int(ask(f"SELECT count(*) FROM pg_stat_activity WHERE {OURS}")) and time.time() < until:
            time.sleep(0.01)  # the server may still commit what it was given
        if int(ask("SELECT version FROM assay_schema") or 0) >= 10:
            check(sums()[:2] == want, f"sums after a kill: {sums()}, not {want}")
    return kills


def upgrade(version):
    want = (ROWS, sum(n % 7 + 1 for n in range(ROWS)))
    for _ in range(6):  # on a busy machine an upgrade is over before we see that it has begun
        kills = kill_on_the_way(version, want)
        if kills:
            break
    check(kills >= 1, "it was never killed on the way")
    p = start()
    words = p.communicate(timeout=600)[1]
    check(p.returncode == 0, "the upgrade: " + words)
    check(sums() == want + (0,), f"sums at the end: {sums()}, not {want}")
    check(ask("SELECT count(*) FROM ledger_state WHERE name IN ('convert_10', 'rebuild')") == "0", "it is done")
    check(SHARED or ask("PRAGMA auto_vacuum") == "2", "the file gives space back")
    mark = "1a2b3c4d" if version == 9 else ""
    row = ask(f"SELECT count(*) FROM dmarc_row WHERE mark = '{mark}' AND source_ip = '192.0.5.0' AND header_from = 'd5.example' AND "
              "reason = 'local_policy' AND comment = 'an exemption, 100% / explained' AND "
              "signatures = 'd5.example/s%205%2Fx%25/pass other.example/k1/fail'")
    check(row == "1", "a row has its columns")
    check(ask("SELECT count(*) FROM mail WHERE record LIKE '1%'") == str(ROWS // 10), "records are compressed")
    check(ask("SELECT count(*) FROM mail WHERE ruf = 1") == str(ROWS // 100), "who wants failure reports")
    for n in 0, 7, ROWS // 10 - 1:
        why = subprocess.run([BUILD + "/assay", "why", f"Q{n}", "--json", "--store", WHERE], capture_output=True, text=True)
        check(why.stdout.strip() == record(n), f"why Q{n}: {why.stdout}{why.stderr}")
    return kills


def newer():
    if SHARED:
        psql("UPDATE assay_schema SET version = 99;")
    else:
        db = sqlite3.connect(WHERE)
        db.execute("UPDATE assay_schema SET version = 99")
        db.commit()
        db.close()
    p = start()
    words = p.communicate(timeout=60)[1]
    check(p.returncode == 65 and "made by a newer assay-ledger" in words, f"a newer store: {p.returncode} {words}")


def main():
    os.makedirs(SPACE + "/state")
    os.makedirs(SPACE + "/journal")
    with open(SPACE + "/policy", "w", encoding="ascii") as f:
        f.write(f'policy "x" owner "x@example.org"\nset journal.dir "{SPACE}/journal"\nset ledger.knowledge "{SPACE}/knowledge"\n'
                f'set ledger.store "{WHERE}"\n')
    began = time.time()
    kills = [upgrade(v) for v in (6, 7, 9)]
    newer()
    print(f"schemas 6, 7 and 9 to that of today, {ROWS} rows: {check.count} checks, killed {kills} times, {time.time() - began:.1f} s")


main()
