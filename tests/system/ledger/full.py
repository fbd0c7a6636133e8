#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The disk is full at a backup, at the pages of a report, in the middle of a rebuild, at forget, and where the policy is written (exempt,
next --write): a clear error, nothing half-written in the place of the old, no file left over, and once there is space it works. As root
in a mount namespace of its own (tests/world/private).

    full.py BUILD FOLDER"""
import atexit
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from checks import Checks

BUILD, SPACE = sys.argv[1:3]
DISK, POLICY, STORE, LITTLE = SPACE + '/disk', SPACE + '/policy', SPACE + '/ledger.db', SPACE + '/little.db'
FIRST_DAY = 'contrib/policies/first-day.policy'
check = Checks('full')


def run(*words, code=0):
    done = subprocess.run([BUILD + '/' + words[0], *words[1:]], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    check(done.returncode == code, f'{words[:4]}: exit {done.returncode}, not {code}: {done.stdout}{done.stderr}')
    return done.stdout + done.stderr


def disk(megabytes):
    if os.path.ismount(DISK):
        subprocess.run(['umount', DISK], check=True)
    os.makedirs(DISK, exist_ok=True)
    subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={megabytes}m', 'assay-test', DISK], check=True)


def fill():
    """Until nothing more can be written."""
    fd = os.open(DISK + '/filler', os.O_WRONLY | os.O_CREAT, 0o600)
    for size in (1 << 20, 4096, 1):
        try:
            while True:
                os.write(fd, b'x' * size)
        except OSError:
            pass
    os.close(fd)


def make_room():
    os.unlink(DISK + '/filler')


def everything():
    """Each file on the disk, with its octets."""
    out = {}
    for folder, _, names in os.walk(DISK):
        for name in names:
            if name != 'filler':
                with open(f'{folder}/{name}', 'rb') as f:
                    out[f'{folder}/{name}'] = f.read()
    return out


def policy(store, more=''):
    with open(POLICY, 'w', encoding='ascii') as f:
        f.write(f'policy "x" owner "x@example.org"\nset journal.dir "{SPACE}/journal"\nset ledger.knowledge "{SPACE}/knowledge"\n'
                f'set ledger.store "{store}"\n{more}')


def count(store, sql='SELECT count(*) FROM mail'):
    db = sqlite3.connect(store, timeout=60)
    n = db.execute(sql).fetchone()[0]
    db.close()
    return n


def is_full(said, name):
    check(name in said and ('full' in said or 'No space left' in said), f'the error names the file and the full disk: {said}')


def backup():
    disk(4)
    with open(DISK + '/older.db', 'wb') as f:
        f.write(b'an older backup')
    before, mails = everything(), count(STORE)
    is_full(run('assay', 'ledger', 'backup', '-P', POLICY, DISK + '/backup.db', code=75), 'backup.db')
    check(everything() == before, f'a backup that failed left {sorted(set(everything()) - set(before))}')
    check(count(STORE) == mails, 'the ledger')
    # One that was killed is no backup, is in nobody's way, and is named by forget.
    disk(300)
    with open(DISK + '/backup.db.part', 'wb') as f:
        f.write(b'half of it')
    check('which is not whole' in run('assay', 'ledger', 'forget', '--yes', 'nobody.example', '-P', POLICY), 'forget names it')
    run('assay', 'ledger', 'backup', '-P', POLICY, DISK + '/backup.db')
    check(count(DISK + '/backup.db') == mails and sorted(os.listdir(DISK)) == ['backup.db'], f'{os.listdir(DISK)}')
    check('exists' in run('assay', 'ledger', 'backup', '-P', POLICY, DISK + '/backup.db', code=73), 'not over a file')


def pages():
    disk(20)
    run('assay', 'report', '--html', DISK + '/www', '-P', POLICY)
    with open(DISK + '/other', 'wb') as f:
        f.write(b"somebody else's")
    before, folders = everything(), sorted(os.listdir(DISK))
    check(len(before) > 5, f'the pages: {sorted(before)}')
    for left in (0, 20000):
        fill()
        os.truncate(DISK + '/filler', os.path.getsize(DISK + '/filler') - left // 4096 * 4096)
        is_full(run('assay', 'report', '--html', DISK + '/www', '-P', POLICY, code=75), DISK + '/www')
        check(everything() == before, 'the pages before are whole')
        make_room()
        check(sorted(os.listdir(DISK)) == folders, f'left over: {os.listdir(DISK)}')
    run('assay', 'report', '--html', DISK + '/www', '-P', POLICY)


def forget():
    disk(os.path.getsize(STORE) // 1000000 + 8)
    store = DISK + '/ledger.db'
    shutil.copy(STORE, store)
    policy(store)
    mails, ours = count(store), count(store, "SELECT count(*) FROM mail WHERE from_domain = 'sender-1.example'")
    check(ours > 0, 'there is something to forget')
    for end in '-wal', '-shm':
        if os.path.exists(store + end):
            os.unlink(store + end)
    fill()
    run('assay', 'ledger', 'forget', '--yes', 'sender-1.example', '-P', POLICY, code=75)
    make_room()
    check(count(store, 'SELECT (integrity_check = \'ok\') FROM pragma_integrity_check') == 1, 'the file is whole')
    check(mails - ours <= count(store) <= mails, 'a mail of somebody else is gone')
    run('assay', 'ledger', 'forget', '--yes', 'sender-1.example', '-P', POLICY)
    check(count(store) == mails - ours, 'forgotten in the end')


def rebuild():
    """The disk has the room that is asked for, and somebody else takes it while rows are copied."""
    size = os.path.getsize(STORE)
    disk(size * 3 // 1000000 + 20)
    store, journal = DISK + '/ledger.db', SPACE + '/journal'
    shutil.copy(STORE, store)
    policy(store)
    db = sqlite3.connect(store)
    db.execute("INSERT INTO ledger_state VALUES ('rebuild', 1)")
    db.commit()
    db.close()
    mails = count(store)
    log = SPACE + '/log'
    child = subprocess.Popen([BUILD + '/assay-ledger', '-P', POLICY, '-S', SPACE], stderr=open(log, 'wb'))
    atexit.register(child.kill)
    said = lambda: open(log, encoding='utf-8').read()
    fresh = store + '.rebuilt'
    end = time.time() + 120
    while time.time() < end and not (os.path.exists(fresh) and os.path.getsize(fresh) > size // 20):
        time.sleep(0.002)
    os.kill(child.pid, signal.SIGSTOP)
    check(os.path.exists(fresh) and os.path.getsize(fresh) < size * 2 // 3, 'it is in the middle of the copy')
    fill()
    os.kill(child.pid, signal.SIGCONT)
    while time.time() < end and 'works on as it is' not in said():
        check(child.poll() is None, 'the daemon ended')
        time.sleep(0.05)
    check('works on as it is' in said() and ('full' in said() or 'free space' in said()), 'it is said: ' + said())
    while time.time() < end and os.path.exists(fresh):
        time.sleep(0.05)
    check(not os.path.exists(fresh) and not os.path.exists(fresh + '-journal'), 'the second file is gone')
    make_room()
    with open(journal + '/x', 'w', encoding='ascii') as f:
        t = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
        for r in dict(kind='segment', segment='abc', writer='milter'), dict(kind='mail', id='Q1', source='internet', findings=[]):
            f.write(json.dumps(dict(v=1, t=t, host='mx1', **r)) + '\n')
    os.rename(journal + '/x', journal + '/milter-20261120T100000Z-abc.journal')
    while time.time() < end and os.listdir(journal):
        time.sleep(0.05)
    check(os.listdir(journal) == [] and count(store) == mails + 1, 'it takes in mail as before')
    child.send_signal(signal.SIGTERM)
    check(child.wait(60) == 0, 'the end')
    check(count(store, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'rebuild%'") == 0, 'nothing of the rebuild is left')
    check('was rebuilt' in run('assay-ledger', '-1', '-P', POLICY, '-S', SPACE), 'with room it is rebuilt')
    check(count(store) == mails + 1, 'rebuilt, and all there')


def policies():
    """The policy's own file, and the programs' folder beside it."""
    disk(2)
    path, state = DISK + '/policy', DISK + '/state'
    os.makedirs(state)
    shutil.copy(FIRST_DAY, path)
    with open(path, 'a', encoding='utf-8') as f:
        f.write(f'set journal.dir "{SPACE}/journal"\nset ledger.store "{LITTLE}"\n')
    exempt = ('assay', 'exempt', 'bank.example', 'dmarc', '--because', 'they sign from May', '--agreed-by', 'the postmaster', '--through',
              time.strftime('%Y-%m-%d', time.gmtime(time.time() + 86400 * 30)), '--anyone', '--yes', '-P', path, '-S', state)
    before = everything()
    fill()
    is_full(run(*exempt, code=75), 'disk')
    check(everything() == before, 'exempt: the policy is whole, and nothing is left over')
    said = run('assay', 'next', '--write', 'dmarc', '--trial', '--yes', '-P', path, '-S', state, code=75)
    is_full(said, 'disk')
    check(everything() == before, 'next --write: the policy is whole, and nothing is left over')
    make_room()
    run(*exempt)
    check('exempt bank.example' in open(path, encoding='utf-8').read(), 'with space it is written')


def main():
    for folder in 'journal', 'state':
        os.makedirs(f'{SPACE}/{folder}')
    # What writes the ledger itself needs one that is larger than the disk; what only reads it needs less than a tenth.
    for findings, store in ('120000', STORE), ('8000', LITTLE):
        subprocess.run([BUILD + '/bench/bench_ledger', findings, store], check=True, capture_output=True)
    for store, step in (STORE, backup), (LITTLE, pages), (STORE, forget), (STORE, rebuild), (LITTLE, policies):
        policy(store)
        step()
    print(f'{check.count} checks, on a ledger of {os.path.getsize(STORE) / 1e6:.0f} MB')


main()
