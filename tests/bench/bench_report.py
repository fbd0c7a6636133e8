#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_report.py [FINDINGS [STORE]]: how long the site of a month takes, and how much memory, against our own goals: 10 s and 200 MB for
ten million findings; and how long each view of contrib/grafana takes: 100 ms. FINDINGS (default 400,000; 10000000 takes some minutes) are
counted into a ledger as assay-ledger would have (ledger_totals.py, which is compared with it first, on a small one).
STORE: a SQLite file that is not there yet, or postgresql://... No test."""
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

import figures
import ledger_totals

TOP, BUILD = ledger_totals.TOP, ledger_totals.BUILD
if len(sys.argv) > 1 and not sys.argv[1].isdecimal():
    sys.exit(__doc__)
FINDINGS = int(sys.argv[1]) if len(sys.argv) > 1 else 400000
WHOLE = 10000000  # what the goals are for
VIEWS = f"{TOP}/contrib/grafana/organisations.sql"


def site(policy, folder):
    """Seconds, seconds of the processor, MB."""
    began = time.monotonic()
    child = subprocess.Popen([f"{BUILD}/assay", "report", "-P", policy, "--html", f"{folder}/site"])
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"assay report failed: {status}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def goal(most):
    return most if FINDINGS >= WHOLE else None


def names_of_views():
    with open(VIEWS, encoding="ascii") as f:
        return re.findall(r"^CREATE VIEW (\w+)", f.read(), re.M)


def views_sqlite(path):
    """(view, how many rows it has, the best of three in ms of the processor)"""
    db = sqlite3.connect(path)
    with open(VIEWS, encoding="ascii") as f:
        db.executescript(f.read())
    for name in names_of_views():
        took = []
        for _ in range(3):
            began = time.process_time()  # SQLite works in this process
            rows = len(db.execute(f"SELECT * FROM {name}").fetchall())
            took.append((time.process_time() - began) * 1000)
        yield name, rows, min(took)
    db.close()


def views_postgres(uri):
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", VIEWS, uri], check=True, stderr=subprocess.DEVNULL)
    for name in names_of_views():
        asked = f"EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM {name};\n" * 3
        said = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", uri], input=asked, capture_output=True, text=True, check=True)
        rows = max(int(float(n)) for n in re.findall(r"\brows=([\d.]+) loops=", said.stdout.splitlines()[0]))
        yield name, rows, min(float(ms) for ms in re.findall(r"^Execution Time: ([\d.]+) ms", said.stdout, re.M))


with tempfile.TemporaryDirectory(prefix="assay-bench.") as where:
    rows = ledger_totals.check_totals(f"{where}/small")
    print(f"report: {rows} rows of daily totals are the same, filled and taken in; recount mends none")
    ledger = sys.argv[2] if len(sys.argv) > 2 else f"{where}/ledger.db"
    today = int(time.time()) // 86400
    the_policy = ledger_totals.fill(where, ledger, FINDINGS // ledger_totals.FINDINGS, today - 1)
    seconds, cpu, used = site(the_policy, where)
    kind = "PostgreSQL" if "://" in ledger else "SQLite"
    figures.figure("report", f"the site of {FINDINGS} findings ({kind})", seconds, "s", figures.LESS, goal(10))
    figures.figure("report", f"the site of {FINDINGS} findings ({kind}): memory", used, "MB", figures.LESS, goal(200))
    print(f"report ({kind}): a site of {FINDINGS} findings in {seconds:.1f} s ({cpu:.1f} s of the processor), at most {used:.0f} MB")
    print(f"report ({kind}): our goal of ten million findings: at most 10 s and 200 MB, and 100 ms a view")
    for view, rows, ms in views_postgres(ledger) if kind == "PostgreSQL" else views_sqlite(ledger):
        figures.figure("report", f"view {view} of {FINDINGS} findings ({kind})", ms, "ms", figures.LESS, goal(100))
        if rows == 0:
            sys.exit(f"bench_report: view {view} is empty: its time says nothing")
        print(f"report ({kind}): view {view}, {rows} rows, in {ms:.3f} ms")
