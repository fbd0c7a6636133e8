#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A large store on a disk with 10 MB free: retention and forget work, in little memory, and give the space back; a file of an earlier
version, for whose rebuild the disk has no space, works as it is, and says so; a full disk and a folder that may not be written exit
75 (a command that may not: 77). As root in a mount namespace of its own (tests/world/private).

    small.py BUILD FOLDER [MAILS]     50000"""
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time

from checks import Checks

BUILD, SPACE = sys.argv[1:3]
MAILS = int(sys.argv[3]) if len(sys.argv) > 3 else 50000
MEMORY = 512 << 20  # the address space that a command may have
DISK, POLICY = SPACE + "/disk", SPACE + "/policy"
STORE = DISK + "/ledger.db"
check = Checks('small')
figures = []


def run(*words, code=0, user=None):
    began = time.time()
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=limit, user=user, group=user,
                         extra_groups=[] if user else None)
    out = p.stdout.read()
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    check(p.returncode == code, f"{words[1:4]}: exit {p.returncode}, not {code}: {out}")
    name = " ".join(words[1:3]) if words[1][0] != "-" else "assay-ledger -1"
    figures.append(f"{name} {used.ru_maxrss // 1024} MB {time.time() - began:.1f} s")
    return out


def ask(sql):
    db = sqlite3.connect(STORE, timeout=60)
    n = db.execute(sql).fetchone()[0]
    db.close()
    return n


def free():
    v = os.statvfs(DISK)
    return v.f_bavail * v.f_frsize


def fill(left):
    """Fills the disk with a file so that this many octets are free."""
    with open(DISK + "/filler", "wb") as f:
        n = free() - left
        while n > 0:
            f.write(b"x" * min(n, 1 << 20))
            n -= 1 << 20


def policy(keep):
    with open(POLICY, "w", encoding="ascii") as f:
        f.write(f'policy "x" owner "x@example.org"\nset journal.dir "{SPACE}/journal"\nset ledger.knowledge "{SPACE}/knowledge"\n'
                f'set ledger.store "{STORE}"\nset ledger.keep-identity {keep}\nset ledger.keep-mails {keep}\nset ledger.keep-days {keep}\n')


def main():
    os.makedirs(SPACE + "/journal")
    os.makedirs(DISK)
    os.makedirs(SPACE + "/state")
    subprocess.run([BUILD + "/bench/bench_ledger", str(MAILS * 8), SPACE + "/made.db"], check=True, capture_output=True)
    size = os.path.getsize(SPACE + "/made.db")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size + (11 << 20)},nr_inodes=100", "tmpfs", DISK], check=True)
    shutil.copy(SPACE + "/made.db", STORE)
    fill(10 << 20)
    check(free() <= 10 << 20, "10 MB are free")
    forget()
    rebuild_without_space()
    retention(size)
    nothing_is_free()
    no_file_is_free()
    only_to_be_read()
    folder_that_may_not_be_written()
    print(f"{MAILS} mails, {size / 1e6:.0f} MB, 10 MB free: {check.count} checks; " + ", ".join(figures[:4]))


def forget():
    policy("365d")
    before = ask("SELECT count(*) FROM mail")
    run(BUILD + "/assay", "ledger", "forget", "--yes", "sender-3.example", "-P", POLICY)
    check(ask("SELECT count(*) FROM mail") < before, "forget forgot")
    check(ask("SELECT count(*) FROM mail WHERE from_domain = 'sender-3.example'") == 0, "forget forgot all")


def rebuild_without_space():
    """A rebuild is wanted, and the disk has no space for it."""
    db = sqlite3.connect(STORE)
    db.execute("INSERT INTO ledger_state VALUES ('rebuild', 1)")
    db.commit()
    db.close()
    words = run(BUILD + "/assay-ledger", "-1", "-P", POLICY, "-S", SPACE + "/state")
    check("works on as it is" in words and "MB of free space" in words, "it says that it is not rebuilt: " + words)


def retention(size):
    """Of half, and of all."""
    for keep, left in ("15d", None), ("1d", 0):
        policy(keep)
        run(BUILD + "/assay", "ledger", "tidy", "--now", "-P", POLICY)
        if left is not None:
            check(ask("SELECT count(*) FROM mail") <= MAILS // 15, "retention deleted")
    check(os.path.getsize(STORE) < size / 3, f"the space is given back: {size} to {os.path.getsize(STORE)}")
    check(os.path.getsize(STORE + "-wal") == 0 if os.path.exists(STORE + "-wal") else True, "the write-ahead log is empty")
    words = run(BUILD + "/assay-ledger", "-1", "-P", POLICY, "-S", SPACE + "/state")
    check("was rebuilt" in words, "with room it is rebuilt: " + words)
    check(ask("SELECT count(*) FROM ledger_state WHERE name = 'rebuild'") == 0, "once")


def nothing_is_free():
    fill(0)
    with open(SPACE + "/journal/milter-20261120T100000Z-abc.journal", "w", encoding="ascii") as f:
        f.write('{"v":1,"t":"2026-11-20T10:00:00Z","host":"mx1","kind":"segment","segment":"abc","writer":"milter"}\n')
        for n in range(20000):
            f.write('{"v":1,"t":"%s","host":"mx1","kind":"mail","id":"Q%d","from":"d%d.example","findings":[{"standard":"spf","subject":'
                    '"d%d.example","result":"pass"}]}\n' % (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), n, n, n))
    run(BUILD + "/assay-ledger", "-1", "-P", POLICY, "-S", SPACE + "/state", code=75)
    check(os.listdir(SPACE + "/journal") == ["milter-20261120T100000Z-abc.journal"], "the journal waits")
    os.unlink(DISK + "/filler")
    run(BUILD + "/assay-ledger", "-1", "-P", POLICY, "-S", SPACE + "/state")
    check(ask("SELECT count(*) FROM mail WHERE queue_id LIKE 'Q%'") == 20000 and os.listdir(SPACE + "/journal") == [], "and is taken in")


def no_file_is_free():
    """The disk has no inode left, and the two files that SQLite has beside the store are not there."""
    many = f"{DISK}/many"
    os.mkdir(many)
    for n in range(100):
        try:
            open(f"{many}/{n}", "w", encoding="ascii").close()
        except OSError:
            break
    check(not os.path.exists(STORE + "-wal"), "nobody has the store open")
    said = run(BUILD + "/assay", "ledger", "hosts", "-P", POLICY, code=75)
    check("no room for another file" in said, f"why it is not opened is said: {said}")
    run(BUILD + "/assay", "ledger", "tidy", "-P", POLICY, code=75)
    run(BUILD + "/assay-ledger", "-1", "-P", POLICY, "-S", SPACE + "/state", code=75)
    shutil.rmtree(many)
    run(BUILD + "/assay", "ledger", "tidy", "-P", POLICY)


def only_to_be_read():
    subprocess.run(["mount", "-o", "remount,ro", DISK], check=True)
    for words in ["hosts"], ["tidy"], ["forget", "--yes", "x.example"]:
        said = run(BUILD + "/assay", "ledger", *words, "-P", POLICY, code=77)
        check("mounted read-only" in said, f"why it is not opened is said: {said}")
    run(BUILD + "/assay-ledger", "-1", "-P", POLICY, "-S", SPACE + "/state", code=75)
    subprocess.run(["mount", "-o", "remount,rw", DISK], check=True)
    run(BUILD + "/assay", "ledger", "tidy", "-P", POLICY)


def folder_that_may_not_be_written():
    for folder in SPACE, DISK:
        os.chmod(folder, 0o755)
    for name in os.listdir(DISK):
        os.chmod(DISK + "/" + name, 0o644)
    os.makedirs(SPACE + "/nobody")
    os.chown(SPACE + "/nobody", 65534, 65534)
    run(BUILD + "/assay-ledger", "-1", "-P", POLICY, "-S", SPACE + "/nobody", code=75, user=65534)
    run(BUILD + "/assay", "ledger", "tidy", "-P", POLICY, code=77, user=65534)
    os.chmod(STORE, 0o600)
    said = run(BUILD + "/assay", "ledger", "hosts", "-P", POLICY, code=77, user=65534)
    check("user nobody may not open it: root may" in said, f"who may open the ledger is said: {said}")
    os.chmod(STORE, 0o644)
    run(BUILD + "/assay", "ledger", "forget", "--yes", "x.example", "-P", POLICY, code=77, user=65534)


main()
