#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""PostgreSQL fails over to its standby in the middle of ingest: the primary is killed (SIGKILL of all its processes), the standby, which it
copied to synchronously, is promoted, and assay-ledger goes on with it by the URI that names both. Every mail that a writer was told is
written is there, once. So it is where two hosts have the same name, and where a host gets another name meanwhile.

    failover.py BUILD FOLDER"""
import glob
import os
import signal
import subprocess
import sys
import time

BUILD, SPACE = sys.argv[1:3]
BIN = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
AS = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
ONE, TWO = SPACE + "/one", SPACE + "/two"
children = []
checks = 0


def check(good, what):
    global checks
    checks += 1
    if not good:
        print(open(SPACE + "/log", encoding="utf-8").read()[-3000:] if os.path.exists(SPACE + "/log") else "")
        sys.exit("failover: " + what)


def until(condition, seconds, what):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return
        time.sleep(0.1)
    check(False, what)


def sql(folder, text):
    done = subprocess.run(["psql", "-qAtX", "-h", folder, "-U", "assay", "postgres", "-c", text], capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else None


def server(folder):
    """A PostgreSQL of our own, in a process group of its own."""
    words = [BIN + "/postgres", "-D", folder + "/data", "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=40"]
    p = subprocess.Popen(AS + words, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True)
    children.append(p)
    until(lambda: sql(folder, "SELECT 1") == ["1"], 60, "a server does not start")
    return p


def group_of(folder):
    """Its processes, by the process id of its first one."""
    with open(folder + "/data/postmaster.pid", encoding="ascii") as f:
        first = int(f.readline())
    return [first] + [int(p) for p in subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True,
                                                     text=True, check=False).stdout.split()]


def kill(folder):
    for pid in group_of(folder):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def writer(journal, host, name):
    """Mails of a host, 2,000 a second; the ids that were acknowledged go to a file."""
    out = open(f"{SPACE}/written-{name}", "w", encoding="ascii")
    p = subprocess.Popen([BUILD + "/tests/ledger_crash", "write", journal, host, "8000"], stdout=out)
    children.append(p)
    return p


def end(name, p):
    """Ends a writer. Not before its first mail: on a busy machine the signal would meet a program that is still being started."""
    until(lambda: p.poll() is not None or os.path.getsize(f"{SPACE}/written-{name}"), 60, f"the writer {name} writes nothing")
    p.send_signal(signal.SIGTERM)
    check(p.wait(timeout=60) == 0, f"the writer {name} failed: {p.returncode}")


def main():
    os.chmod(SPACE, 0o755)
    for folder in ONE, TWO:
        os.makedirs(folder)
        if AS:
            subprocess.run(["chown", "postgres", folder], check=True)
    subprocess.run(AS + [BIN + "/initdb", "-D", ONE + "/data", "-U", "assay", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
                   check=True, capture_output=True, cwd="/")
    server(ONE)
    subprocess.run(AS + [BIN + "/pg_basebackup", "-h", ONE, "-U", "assay", "-D", TWO + "/data", "-R", "-X", "stream"], check=True,
                   capture_output=True, cwd="/")
    server(TWO)
    sql(ONE, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    sql(ONE, "SELECT pg_reload_conf()")
    until(lambda: sql(ONE, "SELECT sync_state FROM pg_stat_replication") == ["sync"], 30, "the standby does not follow")

    quote = lambda folder: folder.replace("/", "%2F")
    uri = f"postgresql://assay@/postgres?host={quote(ONE)},{quote(TWO)}&target_session_attrs=read-write"
    journals = [SPACE + "/journal-a", SPACE + "/journal-b"]
    ledgers = []
    for n, journal in enumerate(journals):  # two hosts, of one name
        os.makedirs(journal)
        os.makedirs(f"{SPACE}/state-{n}")
        with open(f"{SPACE}/policy-{n}", "w", encoding="ascii") as f:
            f.write(f'policy "x" owner "x@example.org"\nset journal.dir "{journal}"\nset ledger.store "{uri}"\n'
                    f'set ledger.knowledge "{SPACE}/state-{n}/knowledge"\n')
        words = [BUILD + "/assay-ledger", "-P", f"{SPACE}/policy-{n}", "-S", f"{SPACE}/state-{n}"]
        ledgers.append(subprocess.Popen(words, stderr=open(SPACE + "/log", "ab")))
        children.append(ledgers[-1])
    until(lambda: sql(ONE, "SELECT to_regclass('mail') IS NOT NULL") == ["t"], 30, "no tables were made")
    writers = [writer(journals[0], "mx1", "a"), writer(journals[1], "mx1", "b")]
    until(lambda: int((sql(ONE, "SELECT count(*) FROM mail") or ["0"])[0]) > 500, 60, "nothing is taken in")
    kill(ONE)
    time.sleep(3)
    check(all(p.poll() is None for p in ledgers), "assay-ledger ended with its database")
    subprocess.run(AS + [BIN + "/pg_ctl", "promote", "-D", TWO + "/data"], check=True, capture_output=True, cwd="/")
    sql(TWO, "ALTER SYSTEM RESET synchronous_standby_names")
    sql(TWO, "SELECT pg_reload_conf()")
    time.sleep(2)
    for name, p in zip("ab", writers):
        end(name, p)
    renamed = writer(journals[0], "mx1-renamed", "renamed")
    time.sleep(1)
    end("renamed", renamed)
    want = []
    for prefix in "a", "b", "renamed":
        with open(f"{SPACE}/written-{prefix}", encoding="ascii") as f:
            want += f.read().split()
    check(len(want) > 1000, "hardly a mail was written")
    until(lambda: len(sql(TWO, "SELECT queue_id FROM mail") or []) >= len(want), 120, "it does not catch up")
    time.sleep(1)
    there = sql(TWO, "SELECT queue_id FROM mail")
    check(sorted(there) == sorted(want), f"{len(want)} written, {len(there)} there, {len(set(there))} of them different")
    check(sum(map(int, sql(TWO, "SELECT sum(mails) FROM host"))) == len(want), "the sums are those of the mails")
    check(sorted(sql(TWO, "SELECT name FROM host")) == ["mx1", "mx1-renamed"], "the names of the hosts")
    for p in ledgers:
        p.send_signal(signal.SIGTERM)
        check(p.wait(timeout=30) == 0, "assay-ledger's end")
    print(f"{len(want)} mails written by two hosts of one name across a failover: all there, once; {checks} checks")


try:
    main()
finally:
    for p in children:
        if p.poll() is None:
            p.kill()
    for folder in ONE, TWO:
        if os.path.exists(folder + "/data/postmaster.pid"):
            kill(folder)
