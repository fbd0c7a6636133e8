#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A large store in use: while mails are taken in, retention, forget and report run, each in a process with 512 MB of address space.
Prints the peak memory of each, the longest transactions that held the write lock and whose they were, the longest time that somebody who
asks for that lock all the time had to wait, how far ingest fell behind, and the size before and after.

    bench_store.py [MAILS [FOLDER]]     1000000; the store is kept in FOLDER for the next run

bench_ledger makes the first million; further ones are copies of it with senders of other names, at other microseconds, so that ten
millions take minutes to make, not an hour, and have ten times as many correspondents."""
import fcntl
import heapq
import json
import multiprocessing
import os
import re
import resource
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

import figures

if len(sys.argv) > 1 and not sys.argv[1].isdecimal():
    sys.exit(__doc__)
BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..", os.environ.get("BUILD", "build"))
MAILS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
SPACE = sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp(prefix="assay-bench-")
MEMORY = 512 << 20
MADE, STORE, JOURNAL, POLICY = SPACE + f"/made-{MAILS}.db", SPACE + "/ledger.db", SPACE + "/journal", SPACE + "/policy"
FIRST = min(MAILS, int(os.environ.get('FIRST', 1000000)))  # another FIRST is for trying it
if MAILS % FIRST:
    sys.exit("MAILS: up to a million, or whole millions")
HERE = os.path.dirname(os.path.abspath(__file__))
waits, behind, late = [], [], []
failed = []  # programs that did not do their work: their figures mean nothing
phases, names = [], {}  # when each program began; the name of each by its id
over = threading.Event()


def ask_for_the_lock():
    """A writer that comes every 5 ms."""
    db = sqlite3.connect(STORE, timeout=0, isolation_level=None)
    began = time.monotonic()
    while not over.is_set():
        try:
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
            waits.append((time.monotonic() - began, began))
            time.sleep(0.005)
            began = time.monotonic()
        except sqlite3.OperationalError:
            time.sleep(0.001)


def watch_the_lock(ended, out):
    """Who holds SQLite's write lock (byte 120 of the -shm file; its format is documented), and how long: a transaction ends where the
    holder or the number of changes is another. Looks each millisecond. A process of its own: closing the file would end locks on it."""
    held, holder, since = [], None, 0.0
    file = open(STORE + "-shm", "rb", buffering=0)
    while not ended.poll():
        asked = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 120, 1, 0))
        kind, _, _, _, pid = struct.unpack("hhqqi4x", asked)
        now = time.monotonic()
        found = (pid, os.pread(file.fileno(), 4, 8)) if kind != fcntl.F_UNLCK else None
        if found != holder:
            if holder:
                held.append((now - since, holder[0], since))
            holder, since = found, now
        time.sleep(0.001)
    out.send((len(held), heapq.nlargest(5, held)))


def sleep_for_5_ms():
    """How late the machine itself is: nobody's lock."""
    while not over.is_set():
        began = time.monotonic()
        time.sleep(0.005)
        late.append((time.monotonic() - began - 0.005, began))


def age_of_oldest():
    """Seconds that a segment has waited by now."""
    left = []
    for e in os.listdir(JOURNAL):
        try:
            left.append(os.stat(JOURNAL + "/" + e).st_mtime)
        except FileNotFoundError:
            pass
    return time.time() - min(left) if left else 0


def write_mails():
    """A segment of 500 mails every second; each is to be gone soon."""
    n = 0
    while not over.is_set():
        now = time.time()
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        name = f"milter-20261120T100000Z-{n:08x}.journal"
        with open(JOURNAL + "/x", "w", encoding="ascii") as f:
            head = {"v": 1, "t": when, "host": "mx9", "kind": "segment", "segment": f"s{n}", "writer": "milter"}
            f.write(json.dumps(head) + "\n")
            for i in range(500):
                spf = {"standard": "spf", "subject": f"new{i}.example", "result": "pass"}
                mail = {"v": 1, "t": when, "host": "mx9", "kind": "mail", "id": f"N{n}.{i}", "from": f"new{i}.example"}
                f.write(json.dumps({**mail, "findings": [spf]}) + "\n")
        os.rename(JOURNAL + "/x", JOURNAL + "/" + name)
        n += 1
        for _ in range(20):
            time.sleep(0.05)
            behind.append((age_of_oldest(), time.monotonic()))


def columns():
    """Of each table: its columns and what is in them, by the list that `assay ledger forget` goes by."""
    tables = {}
    with open(HERE + "/../../ledger/subjects.def", encoding="ascii") as f:
        for table, column, kind in re.findall(r"COLUMN\((\w+), (\w+), ([A-Z]+)\)", f.read()):
            tables.setdefault(table, {})[column] = kind
    return tables


def copied(table, column, kind, n):
    if table == "mail" and column == "t":
        return f"t + {n}"
    if column in ("queue_id", "message_id") or (kind == "NAME" and column not in ("client", "client_net", "net")):
        return f"CASE WHEN {column} GLOB '*[a-z]*' OR {column} GLOB '4B*' THEN 'k{n}-' || {column} ELSE {column} END"
    return column


def multiply():
    """Rows whose key has no name in it are there already: sums over all stay those of the first million."""
    shutil.copy(f"{SPACE}/made-{FIRST}.db", MADE + ".part")
    db = sqlite3.connect(MADE + ".part", isolation_level=None)
    db.execute("PRAGMA synchronous=OFF")
    db.execute("PRAGMA cache_size=-262144")
    db.execute(f"ATTACH '{SPACE}/made-{FIRST}.db' AS first")
    for n in range(1, MAILS // FIRST):
        for table, kinds in columns().items():
            there = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
            names = [c for c in kinds if c in there]
            if not names or table in ("segment", "ledger_state", "host", "ahead"):
                continue
            values = ", ".join(copied(table, c, kinds[c], n) for c in names)
            db.execute(f"INSERT OR IGNORE INTO main.{table} ({', '.join(names)}) SELECT {values} FROM first.{table}")
        print(f"store made: {(n + 1) * FIRST} mails", flush=True)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    os.rename(MADE + ".part", MADE)


def in_a_child(f):
    """What f needs of memory would count for every program started afterwards: the kernel hands ru_maxrss on through fork and exec."""
    child = os.fork()
    if child == 0:
        f()
        os._exit(0)  # an exception ends the child otherwise: the status tells
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("the store could not be made")


def run(name, *words):
    began = time.monotonic()
    phases.append((began, name))
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    p = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=limit)
    names[p.pid] = name
    said = p.stderr.read()
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    if p.returncode:
        failed.append(name)
    print(f"store {name}: {used.ru_maxrss // 1024} MB, {took:.1f} s, exit {p.returncode} {said.strip()[:200]}", flush=True)


def while_what(when):
    return next((name for began, name in reversed(phases) if began <= when), "ingest alone")


def worst(values):
    seconds, when = max(values)
    return f"{seconds * 1000:.0f} ms (during {while_what(when)})"


def main():
    shutil.rmtree(JOURNAL, ignore_errors=True)  # what a run that was ended left would be behind from the beginning
    os.makedirs(JOURNAL)
    os.makedirs(SPACE + "/state", exist_ok=True)
    with open(POLICY, "w", encoding="ascii") as f:
        f.write(
            f'policy "x" owner "x@example.org"\nset journal.dir "{JOURNAL}"\nset ledger.knowledge "{SPACE}/knowledge"\n'
            f'set ledger.store "{STORE}"\n'
        )
    if not os.path.exists(MADE):
        if not os.path.exists(f"{SPACE}/made-{FIRST}.db"):
            unkept = {k: v for k, v in os.environ.items() if k != "BENCH_FIGURES"}  # its figures are those of bench_ledger alone
            subprocess.run([BUILD + "/bench/bench_ledger", str(FIRST * 8), f"{SPACE}/made-{FIRST}.db"], check=True, env=unkept)
        in_a_child(multiply)
    shutil.copy(MADE, STORE)
    os.sync()  # or the copy is still being written to the disk for the first minute
    size = os.path.getsize(STORE)
    daemon = subprocess.Popen(
        [BUILD + "/assay-ledger", "-P", POLICY, "-S", SPACE + "/state"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    names[daemon.pid] = "ingest"
    for f in ask_for_the_lock, write_mails, sleep_for_5_ms:
        threading.Thread(target=f, daemon=True).start()
    time.sleep(2)
    (lock_end, end), (lock_said, said) = multiprocessing.Pipe(), multiprocessing.Pipe()
    watcher = multiprocessing.Process(target=watch_the_lock, args=(end, said))
    watcher.start()
    forget = ("forget", "--yes", "sender-3.example")
    for name, words in (("retention", ("tidy", "--now")), ("forget", forget), ("ask", ("standards",))):
        run(name, BUILD + "/assay", "ledger", *words, "-P", POLICY)
    run("report", BUILD + "/assay", "report", "--text", "-P", POLICY)
    with open(f"/proc/{daemon.pid}/status", encoding="ascii") as f:
        peak = [line.split()[1] for line in f if line.startswith("VmHWM")]
    lock_end.send(None)
    count, longest = lock_said.recv()
    watcher.join()
    over.set()
    daemon.terminate()
    print(f"store ingest: {int(peak[0]) // 1024} MB, exit {daemon.wait()}, at most {worst(behind)} behind (our goal: at most 2000 ms)")
    held = ", ".join(f"{t * 1000:.0f} ms by {names.get(pid, 'the one who asks')} (during {while_what(when)})" for t, pid, when in longest)
    print(f"store lock: {count} transactions, the longest {held} (our goal: at most 250 ms)")
    print(f"store lock: {len(waits)} writers more, the longest waited {worst(waits)}; a sleep of 5 ms was at most {worst(late)} late")
    after = os.path.getsize(STORE)
    kept = f"{MAILS} mails"
    figures.figure("store", f"{kept}: ingest at most behind", max(behind)[0] * 1000, "ms", figures.LESS, 2000)
    figures.figure("store", f"{kept}: longest transaction that held the lock", longest[0][0] * 1000, "ms", figures.LESS, 250)
    figures.figure("store", f"{kept}: longest wait of one more writer", max(waits)[0] * 1000, "ms", figures.LESS)
    figures.figure("store", f"{kept}: ingest's memory at its peak", int(peak[0]) / 1024, "MB", figures.LESS)
    figures.figure("store", f"{kept}: size of the store before", size / 1e6, "MB", figures.LESS)
    if len(sys.argv) < 3:
        shutil.rmtree(SPACE)
    print(f"store size: {MAILS} mails {size / 1e6:.0f} MB before, {after / 1e6:.0f} MB after")
    return f"bench_store: failed: {', '.join(failed)}" if failed else 0


sys.exit(main())
